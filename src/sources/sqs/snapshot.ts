/** A queue's three counts, as one GetQueueAttributes gave them. All are approximate, and may lag for a minute. */
export interface SqsSnapshot {
  /** ApproximateNumberOfMessages: can be received now. */
  readonly visible: number;
  /** ApproximateNumberOfMessagesNotVisible: received, and neither deleted nor timed out. */
  readonly inFlight: number;
  /** ApproximateNumberOfMessagesDelayed: cannot be received yet. */
  readonly delayed: number;
}

/** What a trigger needs read. */
export interface SqsNeed {
  readonly name: string;
  /** Undefined where it has to be asked for by the name. */
  readonly url: string | undefined;
}
