#!/usr/bin/env node
import { type ListedCommand, runCommand } from './cli/command.ts';

const commands: readonly ListedCommand[] = [
  {
    name: 'serve',
    summary: 'Answer KEDA.',
    load: async () => (await import('./cli/serve.ts')).serve,
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
];

process.exit(await runCommand(commands, process.argv.slice(2)));
