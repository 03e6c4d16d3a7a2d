import { type NatsCluster, type NatsOptions, startNats } from '../../../fakes/nats/cluster.ts';
import { tool, useTool } from '../tools/use-tool.ts';

/** A real nats-server with JetStream, or three. Needs Go, see `useTool`. */
export function useNats(options: Omit<NatsOptions, 'program'> = {}): () => NatsCluster {
  return useTool(async () => startNats({ program: await tool('nats-server'), ...options }), {
    end: (nats) => nats.stop(),
  });
}
