import type { ScalerError } from '../../../errors.ts';

/*
 * Offsets are JS numbers: a partition would take 285 years at a million records a second to pass 2^53.
 */

/** At least one. If nothing was found, this does not exist, so there is no number. */
export type Some<T> = readonly [T, ...T[]];

export function isSome<T>(list: readonly T[]): list is Some<T> {
  return list.length > 0;
}

/** One partition as one read saw it. */
export interface PartitionOffsets {
  readonly partition: number;
  /** The first offset still in the log; at most one reconcile old. */
  readonly logStart: number;
  /** High watermark, or last stable offset under `readCommitted`. */
  readonly end: number;
  /** The group's committed offset. Undefined without a commit. */
  readonly committed: number | undefined;
  /** The high watermark, where `end` is not, and the commit is beyond `end`: a transaction may be open between them. */
  readonly highWatermark?: number;
}

/**
 * What one read covers of a topic: all of its partitions in order, some of them, or nothing. `faults` says of each
 * partition that is missing why it is.
 */
export type TopicOffsets =
  | { readonly kind: 'whole'; readonly partitions: Some<PartitionOffsets> }
  | {
      readonly kind: 'partial';
      readonly partitions: readonly PartitionOffsets[];
      readonly faults: ReadonlyMap<number, ScalerError>;
    }
  | { readonly kind: 'failed'; readonly error: ScalerError };

/** A group and its topics, as one read saw them. Without a topic it covers nothing: see `coverage.ts`. */
export interface KafkaSnapshot {
  readonly topics: ReadonlyMap<string, TopicOffsets>;
  /** The group's members; absent where nobody asks, while they change, or where the coordinator does not say. */
  readonly members?: number | undefined;
}

export type IsolationLevel = 'readUncommitted' | 'readCommitted';

/** What a trigger needs read. `topics` empty and no pattern: the topics the group has commits for. */
export interface KafkaNeed {
  readonly consumerGroup: string;
  readonly topics: readonly string[];
  readonly topicPattern: string;
  readonly isolationLevel: IsolationLevel;
  /** Whether to count the group's members; false by default. Not part of the subject's key. */
  readonly members?: true;
}
