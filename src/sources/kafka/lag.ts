import type { KafkaParams } from './params.ts';
import type { PartitionOffsets } from './snapshot.ts';

/**
 * Records between the group's commit and the end. Never negative: the commit is read after the end, so it can be
 * ahead of it. Records that retention has deleted are not waiting for anybody.
 */
export function committedLag({ logStart, end }: PartitionOffsets, committed: number): number {
  return Math.max(0, end - Math.max(committed, logStart));
}

/** The lag of a partition the group has no commit for, as KEDA counts it, but without the deleted records. */
export function uncommittedLag({ logStart, end }: PartitionOffsets, params: KafkaParams): number {
  if (params.scaleToZeroOnInvalidOffset) return 0;
  return params.offsetResetPolicy === 'latest' ? 1 : Math.max(0, end - logStart);
}
