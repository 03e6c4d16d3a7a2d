import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from '../support/made-once.ts';

const sources = fileURLToPath(new URL('.', import.meta.url));
const cache = fileURLToPath(new URL('../../.cache/keda-client/', import.meta.url));
const progressMs = 10_000;

/** Why the client cannot be had on this machine, for a reason that is not the repository's. */
export class ClientUnavailable extends Error {
  override readonly name = 'ClientUnavailable';
}

/**
 * Builds KEDA's client from this folder's Go module and returns the program's path. A build of the same
 * sources by the same Go is reused; of several callers one builds and the others wait. KEDA's scalers bring
 * a thousand packages with them: the first build downloads and compiles them for minutes, later ones link.
 */
export async function buildClient(): Promise<string> {
  const go = spawnSync('go', ['version'], { cwd: sources, encoding: 'utf8' });
  if (go.status !== 0) throw new ClientUnavailable('Go is missing: install Go 1.21 or newer');
  const program = join(cache, keyOf(go.stdout));
  mkdirSync(cache, { recursive: true });
  await madeOnce(program, () => build(program));
  return program;
}

function keyOf(goVersion: string): string {
  const hash = createHash('sha256').update(goVersion);
  const inputs = readdirSync(sources).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name));
  for (const name of inputs.sort()) hash.update(name).update(readFileSync(join(sources, name)));
  return hash.digest('hex').slice(0, 16);
}

async function build(program: string): Promise<void> {
  const fetched = await go('fetching the modules of', ['list', '-deps', '.']);
  if (fetched.failed) throw new ClientUnavailable(`the Go modules cannot be fetched: ${fetched.tail}`);
  const unfinished = `${program}.unfinished`;
  const built = await go('building', [
    'build',
    '-v',
    '-buildvcs=false',
    '-ldflags',
    '-s -w',
    '-o',
    unfinished,
    '.',
  ]);
  if (built.failed) throw new Error(`KEDA's client does not build: ${built.tail}`);
  renameSync(unfinished, program);
  removeOlder(program);
}

/** Each is a hundred megabytes. A running one is not disturbed: its file goes when it ends. */
function removeOlder(program: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (path !== program && /^[0-9a-f]{16}$/.test(name)) rmSync(path, { force: true });
  }
}

/** Runs the go command at low priority and says every ten seconds how far it is. */
async function go(doing: string, args: readonly string[]): Promise<{ failed: boolean; tail: string }> {
  const flags = [process.env['GOFLAGS'], '-mod=readonly'].filter(Boolean).join(' ');
  const child = spawn('go', args, {
    cwd: sources,
    env: { ...process.env, GOFLAGS: flags },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (child.pid !== undefined) setPriority(child.pid, 10);
  const startedAt = Date.now();
  let lines: string[] = [];
  let count = 0;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const more = text.split('\n').filter((line) => line !== '');
    count += more.length;
    lines = [...lines, ...more].slice(-10);
  });
  const progress = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    console.info(`${doing} KEDA's client: ${seconds} s, ${count} so far (minutes on a fresh machine)`);
  }, progressMs);
  try {
    const failed = (await exitCode(child)) !== 0;
    return { failed, tail: lines.join('\n') };
  } finally {
    clearInterval(progress);
  }
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}
