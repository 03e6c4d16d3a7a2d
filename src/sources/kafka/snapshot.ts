import type { ScalerError } from '../../errors.ts';

/*
 * Offsets are JS numbers: a partition would take 285 years at a million records a second to pass 2^53.
 */

/** One partition as one read saw it. */
export interface PartitionOffsets {
  readonly partition: number;
  /** The first offset still in the log; at most one reconcile old. */
  readonly logStart: number;
  /** High watermark, or last stable offset under `readCommitted`. */
  readonly end: number;
  /** The group's committed offset; undefined where there is none. */
  readonly committed: number | undefined;
}

/** One topic: its partitions in order, or why they are not known. `faults` are the partitions that are not. */
export type TopicOffsets =
  | {
      readonly kind: 'read';
      readonly partitions: readonly PartitionOffsets[];
      readonly faults: ReadonlyMap<number, ScalerError>;
    }
  | { readonly kind: 'failed'; readonly error: ScalerError };

/** A group and its topics, as one read saw them. */
export interface KafkaSnapshot {
  readonly topics: ReadonlyMap<string, TopicOffsets>;
}

export type IsolationLevel = 'readUncommitted' | 'readCommitted';

/** What a trigger needs read. `topics` empty and no pattern: the topics the group has commits for. */
export interface KafkaNeed {
  readonly consumerGroup: string;
  readonly topics: readonly string[];
  readonly topicPattern: string;
  readonly isolationLevel: IsolationLevel;
}
