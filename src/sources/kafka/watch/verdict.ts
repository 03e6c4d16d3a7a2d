import { errorCodes, leaderMovedCodes } from '../protocol/error-codes.ts';
import type { FetchedPartition } from '../protocol/fetch.ts';
import type { WakeCause } from './subject-watch.ts';

/**
 * `quiet`: go on. Anything else takes the partition out of its session: an error that stayed in would end every
 * poll at once.
 */
export type Verdict = 'quiet' | 'no read right' | WakeCause;

const unknownTopic: ReadonlySet<number> = new Set([
  errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  errorCodes.UNKNOWN_TOPIC_ID,
  errorCodes.INCONSISTENT_TOPIC_ID,
]);
const notHere: ReadonlySet<number> = new Set(leaderMovedCodes);

/** Whether an answer means that the leader's address is stale. */
export function isLeaderStale(errorCode: number): boolean {
  return notHere.has(errorCode) || unknownTopic.has(errorCode);
}

/**
 * Only one partition of an answer is sure to carry records, however many have some (KIP-74); the others
 * show it by their end alone, which is the last stable offset for a `readCommitted` session.
 */
export function judge(answer: FetchedPartition, offset: number, readCommitted: boolean): Verdict {
  const { errorCode } = answer;
  if (errorCode === 0) {
    const end = readCommitted ? answer.lastStableOffset : answer.highWatermark;
    return end > offset || answer.recordBytes > 0 ? 'record' : 'quiet';
  }
  if (errorCode === errorCodes.TOPIC_AUTHORIZATION_FAILED) return 'no read right';
  // Out of range: the log was truncated, or the topic was made anew and is shorter.
  if (errorCode === errorCodes.OFFSET_OUT_OF_RANGE || unknownTopic.has(errorCode)) return 'topic changed';
  return notHere.has(errorCode) ? 'leader moved' : 'watch lost';
}
