import type { ListedCommand } from './command.ts';

/** Each is loaded only when it runs. */
export const commands: readonly ListedCommand[] = [
  {
    name: 'serve',
    summary: 'Answer KEDA.',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'explain',
    summary: 'Explain the replicas of a ScaledObject or ScaledJob.',
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'validate',
    summary: 'Check ScaledObjects and the configuration, without any network.',
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'convert',
    summary: "Convert triggers of KEDA's own scalers to this scaler.",
    load: async () => (await import('./convert.ts')).convert,
  },
  {
    name: 'simulate',
    summary: 'Play a recorded history through a ScaledObject, and compare settings.',
    load: async () => (await import('./simulate.ts')).simulate,
  },
];
