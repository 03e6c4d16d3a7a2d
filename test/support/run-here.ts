import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { runCommand } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';

/** What a command came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end in this process, since to start one takes a quarter of a second of CPU. Not for what watches,
 * serves, or depends on how a process ends. Throws where it prints a stack trace.
 */
export async function runHere(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const stubs = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      printed[stream] += chunk;
      return true;
    }),
  );
  const stdin = vi.spyOn(process, 'stdin', 'get').mockReturnValue(standardInput(input));
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  try {
    const code = await runCommand(commands, args);
    if (/^\s+at .*:\d+:\d+\)?$/m.test(printed.stdout + printed.stderr))
      throw new Error(`a stack trace:\n${printed.stdout}${printed.stderr}`);
    return { code, ...printed };
  } finally {
    for (const stub of [...stubs, stdin]) stub.mockRestore();
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Commands only read it as chunks. */
function standardInput(text: string): typeof process.stdin {
  return Readable.from([Buffer.from(text)]) as unknown as typeof process.stdin;
}
