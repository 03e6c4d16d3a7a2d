#!/usr/bin/env node
import { type ListedCommand, runCommand } from './cli/command.ts';

const commands: readonly ListedCommand[] = [
  {
    name: 'serve',
    summary: 'Answer KEDA.',
    load: async () => (await import('./cli/serve.ts')).serve,
  },
  {
    name: 'demo',
    summary: 'Show backlogs wake and size a workload: SQS, GitHub, Kafka.',
    load: async () => (await import('./cli/demo.ts')).demo,
  },
];

process.exit(await runCommand(commands, process.argv.slice(2)));
