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

// Whoever reads may go at any time, as `head` does.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE' && stream === process.stdout)
      process.stderr.write(`The output cannot be written: ${code}\n`);
    process.exit(exitCode.failed);
  });
const code = await runCommand(commands, process.argv.slice(2));
// A pipe takes 64 KiB: what waits for its reader goes out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
