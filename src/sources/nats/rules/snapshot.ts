/** A consumer and its stream as JetStream has told of them, one request each. */
export interface NatsSnapshot {
  readonly stream: StreamFacts;
  readonly consumer: ConsumerFacts;
}

export interface StreamFacts {
  readonly name: string;
  /** When it was made, by the server's clock: another stream of the same name has another time. */
  readonly created: string;
  readonly subjects: readonly string[];
  /** Why messages can come into the stream that are not published on its subjects where we hear it; undefined: they cannot. */
  readonly silent: string | undefined;
  /** The server that leads the stream; undefined: there is one server only. */
  readonly leader: string | undefined;
  /** The other servers that have it, and how many entries each is behind: infinitely many where it is gone. */
  readonly replicas: readonly { readonly name: string; readonly behind: number }[];
}

export interface ConsumerFacts {
  readonly name: string;
  /** As of the stream. */
  readonly created: string;
  /** The subjects that it takes; none: all of the stream. */
  readonly filters: readonly string[];
  /** Messages that were never delivered: `num_pending`. */
  readonly pending: number;
  /** Messages that were delivered and are not acknowledged: `num_ack_pending`. */
  readonly ackPending: number;
  /** Of those, the ones that were delivered more than once: `num_redelivered`. */
  readonly redelivered: number;
  /** Deliveries since it was made, those again included: `delivered.consumer_seq`. */
  readonly deliveries: number;
  /** How many may be delivered and unacknowledged at a time; undefined: no limit, or it takes no acknowledgements. */
  readonly maxAckPending: number | undefined;
  readonly paused: boolean;
  /** The server that answers for it; undefined: there is one server only. */
  readonly leader: string | undefined;
}

/** All that counts: waiting for delivery, or delivered and not acknowledged. */
export function itemsOf({ consumer }: NatsSnapshot): number {
  return consumer.pending + consumer.ackPending;
}

/** What has come to be done since the consumer was made: new messages, and those that are to be done again. */
export function arrivedBy({ consumer }: NatsSnapshot): number {
  return consumer.deliveries + consumer.pending;
}

/** Whether something has happened to the consumer between two snapshots, or it is another one. */
export function hasMoved(then: NatsSnapshot, now: NatsSnapshot): boolean {
  return !isSame(then, now) || arrivedBy(then) !== arrivedBy(now) || itemsOf(then) !== itemsOf(now);
}

/** Whether both are of one consumer: deleted and made again, it is another. */
export function isSame(then: NatsSnapshot, now: NatsSnapshot): boolean {
  return then.consumer.created === now.consumer.created && then.stream.created === now.stream.created;
}

/**
 * How many entries the server that answers for the consumer is behind the leader of the stream. It counts by its own copy
 * of the stream, so what it has not got yet is missing in its numbers.
 */
export function behindBy({ stream, consumer }: NatsSnapshot): number {
  if (consumer.leader === undefined || consumer.leader === stream.leader) return 0;
  return stream.replicas.find(({ name }) => name === consumer.leader)?.behind ?? 0;
}

/**
 * The subjects on which each message for the consumer is published, where a subscription hears it; or, as text, why there
 * are none such.
 */
export function watchedSubjects({ stream, consumer }: NatsSnapshot): readonly string[] | string {
  if (stream.silent !== undefined) return stream.silent;
  const subjects = consumer.filters.length === 0 ? stream.subjects : consumer.filters;
  if (subjects.length === 0) return 'the stream has no subjects';
  if (subjects.length > mostWatchedSubjects) return `it has more than ${mostWatchedSubjects} subjects`;
  // Such a subscription would hear every answer to us.
  if (subjects.some((subject) => /^[*>]/.test(subject))) return 'it takes the subjects of all';
  return subjects;
}

const mostWatchedSubjects = 100;
