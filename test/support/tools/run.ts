import { spawn } from 'node:child_process';
import { ToolMissing } from './tool-missing.ts';

const keptCharacters = 2000;

export interface Run {
  /** What takes time, for a line now and then, and for the fault. */
  readonly doing: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

let doing: string | undefined;

/** What takes time at present. */
export function doingNow(): string | undefined {
  return doing;
}

export function nowDoing(what: string): void {
  doing = what;
}

/** The standard output of a command. Throws ToolMissing. */
export async function run(
  command: string,
  args: readonly string[],
  { doing: what, cwd, env = {} }: Run,
): Promise<string> {
  nowDoing(what);
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = `${complaints}${text}`.slice(-keptCharacters);
  });
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return output;
    throw new Error(`${output.slice(-keptCharacters)}${complaints}`.trim() || `exit code ${code}`);
  } catch (error) {
    throw new ToolMissing(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
