/** A queue's three counts, as one GetQueueAttributes gave them. All are approximate, and may lag for a minute. */
export interface SqsSnapshot {
  /** ApproximateNumberOfMessages: can be received now. */
  readonly visible: number;
  /** ApproximateNumberOfMessagesNotVisible: received, and neither deleted nor timed out. */
  readonly inFlight: number;
  /** ApproximateNumberOfMessagesDelayed: cannot be received yet. */
  readonly delayed: number;
}

/**
 * How far apart two reads must be to count as two: a second. A little less, since the clock's beat may bring a
 * read some ms early.
 */
export const apartMs = 900;
/**
 * How long messages in flight still count after a queue was last busy: KEDA's default `cooldownPeriod`. Until
 * then the workload has replicas, and one that waits for messages takes each before a read can see it.
 */
export const lingerMs = 300_000;
/** This many messages at once are real. SQS's phantoms are one or two (KEDA issue 7845). */
export const burst = 10;

const maxReads = 8;

export interface Read extends SqsSnapshot {
  readonly takenAtMs: number;
}

/** What one queue's reads have shown. Bounded by `maxReads`. */
export interface SqsHistory {
  /** Oldest first: the newest, and those before it up to the first that is `apartMs` older. */
  readonly reads: readonly Read[];
  /** When the queue last had messages for certain. */
  readonly busyAtMs: number | undefined;
}

/** Takes a read into the history. Pure. */
export function fold(history: SqsHistory | undefined, snapshot: SqsSnapshot, takenAtMs: number): SqsHistory {
  const reads = [...(history?.reads ?? []), { ...snapshot, takenAtMs }];
  while (reads[1] !== undefined && takenAtMs - reads[1].takenAtMs >= apartMs) reads.shift();
  if (reads.length > maxReads) reads.shift();
  const busy = isBusy(snapshot, reads, history, takenAtMs);
  return { reads, busyAtMs: busy ? takenAtMs : history?.busyAtMs };
}

/** Whether this is so in every read of the last second, of which there must be two. */
export function settled({ reads }: Pick<SqsHistory, 'reads'>, isSo: (read: Read) => boolean): boolean {
  const spanMs = (reads.at(-1)?.takenAtMs ?? 0) - (reads[0]?.takenAtMs ?? 0);
  return spanMs >= apartMs && reads.every(isSo);
}

/** Messages that nobody has received yet. */
export function waiting({ visible, delayed }: SqsSnapshot): number {
  return visible + delayed;
}

/** Messages in flight alone make no queue busy, but keep one so. After a start, the first count is trusted. */
function isBusy(
  snapshot: SqsSnapshot,
  reads: readonly Read[],
  history: SqsHistory | undefined,
  takenAtMs: number,
): boolean {
  if (waiting(snapshot) + snapshot.inFlight === 0) return false;
  if (history === undefined || snapshot.visible >= burst) return true;
  if (snapshot.inFlight > 0 && history.busyAtMs !== undefined && takenAtMs - history.busyAtMs <= lingerMs) {
    return true;
  }
  const hasMessages = (read: Read) => waiting(read) + read.inFlight > 0;
  return settled({ reads }, hasMessages) && reads.some((read) => waiting(read) > 0);
}
