import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { locked } from '../../../src/demo/kafka/cache.ts';
import { ScalerError } from '../../../src/errors.ts';

const run = promisify(execFile);

/**
 * `.cache/<name>-<hash of the file that pins the versions>`, filled once by `install`, however many test files ask
 * for it at a time. Where an installation was cut short, it is made again.
 */
export async function installed(
  name: string,
  pinnedBy: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256')
    .update(await readFile(pinnedBy))
    .digest('hex')
    .slice(0, 12);
  const directory = fileURLToPath(new URL(`../../../.cache/${name}-${key}`, import.meta.url));
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return directory;
  await mkdir(directory, { recursive: true });
  await locked(directory, async () => {
    if (existsSync(complete)) return;
    await install(directory);
    await writeFile(complete, '');
  });
  return directory;
}

/** What the command prints; throws ScalerError `unavailable` with its own reason. */
export async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, [...args]);
    return stdout + stderr;
  } catch (error) {
    throw new ScalerError('unavailable', `${command} failed: ${printed(error)}`, { cause: error });
  }
}

/** Like `output`; undefined where the command is missing or fails. */
export async function outputIfAny(command: string, args: readonly string[]): Promise<string | undefined> {
  return await output(command, args).catch(() => undefined);
}

function printed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = ['stdout', 'stderr'].flatMap((stream) =>
    stream in error ? String(Reflect.get(error, stream)).split('\n') : [],
  );
  return lines.find((line) => line.includes('ERROR')) ?? error.message;
}
