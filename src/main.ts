#!/usr/bin/env node
import { tooOld } from './node-version.ts';

// First of all: an older Node lacks something that the other modules import.
const problem = tooOld(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
const { exitCode, runCommand } = await import('./cli/command.ts');
const { commands } = await import('./cli/commands.ts');

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
