/** A consumer and its stream, as JetStream answered: one request each. */
export interface NatsSnapshot {
  readonly stream: StreamFacts;
  readonly consumer: ConsumerFacts;
}

export interface StreamFacts {
  readonly name: string;
  /** When it was created, by the server's clock. A new stream of the same name has another time. */
  readonly created: string;
  readonly subjects: readonly string[];
  /** Why a watch could miss messages: not all are published here on its subjects. Undefined if it could not. */
  readonly silent: string | undefined;
  /** The server that leads the stream. Undefined without a cluster, and where the cluster has no leader for it. */
  readonly leader: string | undefined;
  /** Whether the answer came from a server that knows of no leader: it may be cut off from the others. */
  readonly isLeaderless: boolean;
  /** The other servers with a copy, and how many entries each is behind: infinitely many if it is offline. */
  readonly replicas: readonly { readonly name: string; readonly behind: number }[];
}

export interface ConsumerFacts {
  readonly name: string;
  /** As for the stream. */
  readonly created: string;
  /** The subjects that it takes. If empty, all of the stream. */
  readonly filters: readonly string[];
  /** Messages that were never delivered: `num_pending`. */
  readonly pending: number;
  /** Messages that were delivered but not acknowledged: `num_ack_pending`. */
  readonly ackPending: number;
  /** Of those, how many were delivered more than once: `num_redelivered`. */
  readonly redelivered: number;
  /** Deliveries since it was created, with redeliveries: `delivered.consumer_seq`. */
  readonly deliveries: number;
  /** The most unacknowledged messages at a time. Undefined without a limit, or without acknowledgements. */
  readonly maxAckPending: number | undefined;
  readonly paused: boolean;
  /** The server that answers for it. Undefined without a cluster. */
  readonly leader: string | undefined;
}

/** The backlog: messages that wait for delivery or for acknowledgement. */
export function itemsOf({ consumer }: NatsSnapshot): number {
  return consumer.pending + consumer.ackPending;
}

/** How many messages came to be processed since the consumer was created, redeliveries included. */
export function arrivedBy({ consumer }: NatsSnapshot): number {
  return consumer.deliveries + consumer.pending;
}

/** Whether the consumer changed between two snapshots, or is another one. */
export function hasMoved(then: NatsSnapshot, now: NatsSnapshot): boolean {
  return !isSame(then, now) || arrivedBy(then) !== arrivedBy(now) || itemsOf(then) !== itemsOf(now);
}

/** Whether both are of the same consumer. One that was deleted and created again is another. */
export function isSame(then: NatsSnapshot, now: NatsSnapshot): boolean {
  return then.consumer.created === now.consumer.created && then.stream.created === now.stream.created;
}

/**
 * How many entries the consumer's server is behind the leader of the stream. It counts by its own copy, so its numbers
 * lack entries that it does not have yet.
 */
export function behindBy({ stream, consumer }: NatsSnapshot): number {
  if (stream.isLeaderless) return Number.POSITIVE_INFINITY;
  if (consumer.leader === undefined || consumer.leader === stream.leader) return 0;
  return stream.replicas.find(({ name }) => name === consumer.leader)?.behind ?? 0;
}

/**
 * The subjects on which a subscription hears each message for the consumer. Or, as text, why no subscription does.
 */
export function watchedSubjects({ stream, consumer }: NatsSnapshot): readonly string[] | string {
  if (stream.silent !== undefined) return stream.silent;
  const subjects = consumer.filters.length === 0 ? stream.subjects : consumer.filters;
  if (subjects.length === 0) return 'the stream has no subjects';
  if (subjects.length > mostWatchedSubjects) return `it has more than ${mostWatchedSubjects} subjects`;
  // Such a subscription would also hear every answer to this client.
  if (subjects.some((subject) => /^[*>]/.test(subject))) return 'it takes the subjects of all';
  return subjects;
}

const mostWatchedSubjects = 100;
