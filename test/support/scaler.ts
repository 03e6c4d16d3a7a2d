import { onTestFinished } from 'vitest';
import type { ConfiguredConnection } from '../../src/sources/source.ts';
import { hintSource, QueueService } from './hint-source.ts';
import { levelSource, type Tanks } from './level-source.ts';
import { connectionOf, type Limits, LiveTriggers } from './live-triggers.ts';
import { type StartOptions, startServer } from './rpc.ts';

export interface ScalerOptions extends StartOptions {
  limits?: Partial<Limits>;
  connections?: readonly ConfiguredConnection[];
}

/** The gRPC server over real triggers and subjects. */
export async function startScaler({ limits, connections = [], ...options }: ScalerOptions) {
  const live = new LiveTriggers(connections, limits === undefined ? {} : { limits });
  onTestFinished(() => live.close());
  const started = await startServer(live.triggers, options);
  return { ...started, live };
}

/** A scaler of queues that can only be polled, and of tanks. */
export async function startQueueScaler(options: Omit<ScalerOptions, 'connections'> = {}) {
  const service = new QueueService();
  const tanks: Tanks = new Map();
  const scaler = await startScaler({ ...options, connections: connectionsTo(service, tanks) });
  return { ...scaler, service, tanks };
}

export function connectionsTo(service: QueueService, tanks: Tanks): ConfiguredConnection[] {
  return [connectionOf('jobs', hintSource, service), connectionOf('plant', levelSource, tanks)];
}
