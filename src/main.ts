#!/usr/bin/env node
import { exitCode, type ListedCommand, runCommand } from './cli/command.ts';

const commands: readonly ListedCommand[] = [
  {
    name: 'serve',
    summary: 'Answer KEDA.',
    load: async () => (await import('./cli/serve.ts')).serve,
  },
  {
    name: 'explain',
    summary: 'Say why a ScaledObject or ScaledJob has as many replicas as it has.',
    load: async () => (await import('./cli/explain.ts')).explain,
  },
  {
    name: 'validate',
    summary: 'Check ScaledObjects and the configuration, without any network.',
    load: async () => (await import('./cli/validate.ts')).validate,
  },
  {
    name: 'convert',
    summary: "Make triggers of KEDA's own scalers this scaler's.",
    load: async () => (await import('./cli/convert.ts')).convert,
  },
  {
    name: 'simulate',
    summary: 'Play a recorded history through a ScaledObject, and compare settings.',
    load: async () => (await import('./cli/simulate.ts')).simulate,
  },
];

/** Whoever reads may go at any time, as `head` does; a disk that is full is told. */
function onLost(problem: NodeJS.ErrnoException): never {
  if (problem.code !== 'EPIPE') process.stderr.write(`The output cannot be written: ${problem.code}\n`);
  process.exit(exitCode.failed);
}

process.stdout.on('error', onLost);
process.stderr.on('error', () => process.exit(exitCode.failed));
const code = await runCommand(commands, process.argv.slice(2));
// A pipe takes 64 KiB: what waits for its reader goes out first. What a file does not take is told in the next turn.
process.stdout.write('', () => process.stderr.write('', () => setImmediate(() => process.exit(code))));
