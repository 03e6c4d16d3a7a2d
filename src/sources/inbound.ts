import type { ScalerError } from '../errors.ts';

/*
 * What comes in from outside: events, and how a source makes facts of them for its ledger. Event logs outlive a process,
 * so times are in ms since 1970, if they do not say otherwise.
 */

/** A verified event from outside, as the event log keeps it: a fact for the ledger of one connection. */
export interface InboundEvent {
  readonly connection: string;
  /** What the sender calls the event and its action: `workflow_job.queued`. */
  readonly type: string;
  /** The sender's name for this event, for people. Duplicates do not matter: facts are idempotent. */
  readonly id: string;
  /** When it was taken in. */
  readonly receivedAtMs: number;
  /** Plain JSON, small, without secrets. Only the source that made it reads it. */
  readonly fact: unknown;
}

/** Since when a log has every event of a connection, and why not for longer. */
export interface KeptSince {
  /** Of what was taken in before, some may be lost. */
  readonly atMs: number;
  readonly because: /** It is in memory, and began with the process. */
    | 'memory'
    /** It is new, or new to the connection. */
    | 'new'
    /** Older events were dropped: they were too many, or too old. */
    | 'dropped'
    /** Some were lost. */
    | 'damaged';
}

/** The events of one connection. */
export interface EventFeed {
  /** Of what has been handed over so far. */
  keptSince(): KeptSince;
  /**
   * First the stored events in order, then each new one, until the returned function is called. `replayed` is called after
   * the stored ones, maybe before this returns. It is called again if some were lost since and `keptSince` has changed.
   */
  follow(take: (event: InboundEvent) => void, replayed?: () => void): () => void;
  /** Why the stored ones cannot be read now. Undefined or absent: nothing is in the way. */
  unreadable?(): ScalerError | undefined;
  /**
   * Since when other pods may have received events that were not handed over, and why. Undefined or absent: all of them
   * were. Meanwhile only this pod's own events come, which must not count without the others. `replayed` is called when
   * the others have come.
   */
  cutOff?(): CutOff | undefined;
}

/** This pod does not hear of the events of the others. */
export interface CutOff {
  /** In ms of `performance.now()`. */
  readonly sinceMs: number;
  readonly error: ScalerError;
}

/** A CloudEvent (CloudEvents 1.0), however it was sent; an EventBridge event is made into one. */
export interface InboundCloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** When it happened, by the sender's clock. */
  readonly timeMs: number | undefined;
  /** Parsed JSON, or text. Undefined without a body, or for a binary one. */
  readonly data: unknown;
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
}

/** How CloudEvents become facts of a ledger. */
export interface CloudEventRules<C> {
  /** What the event says, as the event log keeps it; undefined where it says nothing that the ledger needs. */
  fact(config: C, event: InboundCloudEvent): unknown;
}

/** The names of a sender's headers, as the sender writes them. */
export interface WebhookHeaders {
  /** `sha256=` and the HMAC-SHA256 of the raw body, in lower-case hex. */
  readonly signature: string;
  /** What the event is called. */
  readonly event: string;
  /** The ID of the delivery. */
  readonly delivery: string;
  /** The number of the webhook, for people. */
  readonly hook: string;
}

/** How webhooks that are signed by their sender become facts; `ingest` takes them at `/ingest/<kind>` and verifies them by it. */
export interface WebhookRules<C> {
  readonly headers: WebhookHeaders;
  /** The secrets that may have signed for a connection: several while one is replaced. */
  secrets(config: C): readonly string[];
  /** Whether a verified payload is about this connection's owner. */
  owns(config: C, payload: unknown): boolean;
  /** What the payload says, as the event log keeps it; undefined where it says nothing that a ledger needs. */
  fact(event: string, payload: unknown): unknown;
}
