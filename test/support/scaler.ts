import { onTestFinished } from 'vitest';
import type { BoardLimits } from '../../src/monitor/board.ts';
import type { ConfiguredConnection } from '../../src/trigger/trigger.ts';
import { boardOf, connectionOf } from './board.ts';
import { hintSource, QueueService } from './hint-source.ts';
import { levelSource, type Tanks } from './level-source.ts';
import { type StartOptions, startServer } from './rpc.ts';

export interface ScalerOptions extends StartOptions {
  limits?: Partial<BoardLimits>;
  connections?: readonly ConfiguredConnection[];
}

/** The gRPC server over the real parsing and the real monitors. */
export async function startScaler({ limits, connections, ...options }: ScalerOptions) {
  const { board } = boardOf(connections ?? [], limits);
  onTestFinished(() => board.close());
  const started = await startServer(board.live(), options);
  return { ...started, board };
}

/** A scaler of queues that can only be asked, and of tanks. */
export async function startQueueScaler(options: Omit<ScalerOptions, 'connections'> = {}) {
  const service = new QueueService();
  const tanks: Tanks = new Map();
  const scaler = await startScaler({ ...options, connections: connectionsTo(service, tanks) });
  return { ...scaler, service, tanks };
}

export function connectionsTo(service: QueueService, tanks: Tanks): ConfiguredConnection[] {
  return [connectionOf('jobs', hintSource, service), connectionOf('plant', levelSource, tanks)];
}
