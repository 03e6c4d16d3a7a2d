import { type FetchAnswer, type FetchPosition, fetch } from '../protocol/fetch.ts';
import type { IsolationLevel } from '../snapshot.ts';
import type { KafkaRequest } from '../wire/wire.ts';
import type { WatchedPartition } from './watched-partition.ts';

/** What one fetch request says of its session. */
export interface FetchPlan {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly add: readonly WatchedPartition[];
  readonly forget: readonly WatchedPartition[];
}

/** The request of a plan: it asks for as few bytes as a broker can send to say that there are some. */
export function fetchRequest(
  { sessionId, sessionEpoch, add, forget }: FetchPlan,
  isolationLevel: IsolationLevel,
  maxWaitMs: number,
): KafkaRequest<FetchAnswer> {
  return fetch({
    maxWaitMs,
    // A partition's limit of 0 bytes would never satisfy a minimum of 1.
    minBytes: 1,
    maxBytes: 1,
    partitionMaxBytes: 1,
    isolationLevel,
    sessionId,
    sessionEpoch,
    topics: byTopic(add, ({ partition, offset }): FetchPosition => ({ partition, fetchOffset: offset })),
    forgotten: byTopic(forget, ({ partition }) => partition),
  });
}

function byTopic<T>(
  partitions: readonly WatchedPartition[],
  part: (partition: WatchedPartition) => T,
): ReadonlyMap<string, readonly T[]> {
  const topics = new Map<string, T[]>();
  for (const partition of partitions) {
    const parts = topics.get(partition.topic);
    if (parts) parts.push(part(partition));
    else topics.set(partition.topic, [part(partition)]);
  }
  return topics;
}
