#!/usr/bin/env node
import type { ListedCommand } from './cli/command.ts';
import { tooOld } from './node-version.ts';

// First of all: an older Node lacks something that the other modules import.
const problem = tooOld(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
const { exitCode, runCommand } = await import('./cli/command.ts');

const commands: readonly ListedCommand[] = [
  {
    name: 'serve',
    summary: 'Answer KEDA.',
    load: async () => (await import('./cli/serve.ts')).serve,
  },
  {
    name: 'explain',
    summary: 'Explain the replicas of a ScaledObject or ScaledJob.',
    load: async () => (await import('./cli/explain.ts')).explain,
  },
  {
    name: 'validate',
    summary: 'Check ScaledObjects and the configuration, without any network.',
    load: async () => (await import('./cli/validate.ts')).validate,
  },
  {
    name: 'convert',
    summary: "Convert triggers of KEDA's own scalers to this scaler.",
    load: async () => (await import('./cli/convert.ts')).convert,
  },
  {
    name: 'simulate',
    summary: 'Play a recorded history through a ScaledObject, and compare settings.',
    load: async () => (await import('./cli/simulate.ts')).simulate,
  },
];

/** A reader such as `head` may leave at any time; a full disk is reported. */
function onLost({ code }: NodeJS.ErrnoException): never {
  if (code !== 'EPIPE') process.stderr.write(`The output cannot be written: ${code}\n`);
  process.exit(exitCode.failed);
}

process.stdout.on('error', onLost);
process.stderr.on('error', () => process.exit(exitCode.failed));
const endsWith = await runCommand(commands, process.argv.slice(2));
// A pipe takes 64 KiB: what waits for its reader goes out first. A failed write to a file shows in the next turn.
process.stdout.write('', () => process.stderr.write('', () => setImmediate(() => process.exit(endsWith))));
