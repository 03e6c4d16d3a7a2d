#!/usr/bin/env node
import { type ListedCommand, runCommand } from './cli/command.ts';

const commands: readonly ListedCommand[] = [
  {
    name: 'serve',
    summary: 'Answer KEDA.',
    load: async () => (await import('./cli/serve.ts')).serve,
  },
];

process.exit(await runCommand(commands, process.argv.slice(2)));
