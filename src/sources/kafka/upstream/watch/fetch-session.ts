import type { IsolationLevel } from '../../rules/snapshot.ts';
import type { KafkaRequest } from '../protocol/api.ts';
import { errorCodes } from '../protocol/error-codes.ts';
import { type FetchAnswer, type FetchPosition, fetch } from '../protocol/fetch.ts';
import { partitionKey, type WatchedPartition } from './subject-watch.ts';

const lostSession: ReadonlySet<number> = new Set([
  errorCodes.FETCH_SESSION_ID_NOT_FOUND,
  errorCodes.INVALID_FETCH_SESSION_EPOCH,
]);

const fullEpoch = 0;
const finalEpoch = -1;
const maxEpoch = 2 ** 31 - 1;

/**
 * `renewed`: the broker forgot the session, the next request starts another. `throttled`: it ignored the
 * request, and the next one repeats it. `notGranted`: it has no room for a session.
 */
export type SessionOutcome = 'going on' | 'renewed' | 'throttled' | 'notGranted' | 'failed';

/** What one fetch request says of its session. */
export interface FetchPlan {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly add: readonly WatchedPartition[];
  readonly forget: readonly WatchedPartition[];
}

/**
 * An incremental fetch session (KIP-227): a first request carries all partitions, later ones only what changed.
 * No I/O here. One request at a time: `next`, then `accept` its answer.
 */
export class FetchSession {
  private sessionId = 0;
  private epoch = fullEpoch;
  /** What is to be in the session, and what the broker has in it as of the last request. */
  private readonly wanted = new Map<string, WatchedPartition>();
  private readonly held = new Map<string, WatchedPartition>();
  private readonly changed = new Set<string>();

  get size(): number {
    return this.wanted.size;
  }

  add(partition: WatchedPartition): void {
    this.wanted.set(partition.key, partition);
    this.changed.add(partition.key);
  }

  /** Does nothing where another has taken its place. */
  remove(partition: WatchedPartition): void {
    if (this.wanted.get(partition.key) !== partition) return;
    this.wanted.delete(partition.key);
    this.changed.add(partition.key);
  }

  /**
   * The partition of an answer to the last request. Undefined if it is not wanted any more, or another offset replaced it
   * meanwhile.
   */
  asked(topic: string, partition: number): WatchedPartition | undefined {
    const key = partitionKey(topic, partition);
    const held = this.held.get(key);
    return held !== undefined && this.wanted.get(key) === held ? held : undefined;
  }

  partitions(): WatchedPartition[] {
    return [...this.wanted.values()];
  }

  /**
   * The next request's part in the session. A partition that returns before it was forgotten is only sent
   * again: a broker applies additions first, so a request with both would end without it.
   */
  next(): FetchPlan {
    const { sessionId, epoch } = this;
    const forget: WatchedPartition[] = [];
    const add: WatchedPartition[] = [];
    for (const key of this.changed) {
      const wanted = this.wanted.get(key);
      const held = this.held.get(key);
      if (wanted !== undefined && wanted !== held) add.push(wanted);
      if (wanted === undefined && held !== undefined) forget.push(held);
      if (wanted === undefined) this.held.delete(key);
      else this.held.set(key, wanted);
    }
    this.changed.clear();
    return { sessionId, sessionEpoch: epoch, add, forget };
  }

  /** Ends the session on the broker's side. */
  last(): FetchPlan {
    return { sessionId: this.sessionId, sessionEpoch: finalEpoch, add: [], forget: [] };
  }

  accept({ errorCode, sessionId, throttleTimeMs }: Omit<FetchAnswer, 'partitions'>): SessionOutcome {
    const isFirst = this.epoch === fullEpoch;
    if (lostSession.has(errorCode)) return this.renew();
    if (errorCode !== 0) return 'failed';
    if (isFirst && sessionId === 0) {
      if (throttleTimeMs === 0) return 'notGranted';
      this.restart();
      return 'throttled';
    }
    if (!isFirst && sessionId !== this.sessionId) return this.renew();
    this.sessionId = sessionId;
    this.epoch = this.epoch === maxEpoch ? 1 : this.epoch + 1;
    return 'going on';
  }

  /** A session lost before it ever went on is as good as none: starting again at once would never end. */
  private renew(): SessionOutcome {
    if (this.epoch <= 1) return 'notGranted';
    this.restart();
    return 'renewed';
  }

  /** The next request starts another session, with all partitions from where they are watched. */
  restart(): void {
    this.sessionId = 0;
    this.epoch = fullEpoch;
    this.held.clear();
    this.changed.clear();
    for (const key of this.wanted.keys()) this.changed.add(key);
  }
}

/** The request of a plan, with the fewest bytes that still show new records. */
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
