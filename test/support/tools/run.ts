import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { ToolMissing } from './tool-missing.ts';

const progressMs = 10_000;
const keptCharacters = 2000;

export interface Run {
  /** What takes its time, for a line every ten seconds and for the fault. */
  readonly doing: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What the command prints on standard output. It runs at low priority: tests run beside it. Throws ToolMissing. */
export async function run(
  command: string,
  args: readonly string[],
  { doing, cwd, env = {} }: Run,
): Promise<string> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) setPriority(child.pid, 10);
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = `${complaints}${text}`.slice(-keptCharacters);
  });
  const startedAt = Date.now();
  const progress = setInterval(() => {
    console.info(`${doing}: ${Math.round((Date.now() - startedAt) / 1000)} s (minutes on a fresh machine)`);
  }, progressMs);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return output;
    throw new Error(`${output.slice(-keptCharacters)}${complaints}`.trim() || `exit code ${code}`);
  } catch (error) {
    throw new ToolMissing(`${doing} failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearInterval(progress);
  }
}
