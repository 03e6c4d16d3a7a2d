/*
 * What the status page is sent. Times are in ms of the scaler's own clock, which `Tick.now` tells, so that it does not matter
 * what time it is on either side.
 */

/** A trigger as the list shows it. What is not known is left out. */
export interface Row {
  /** Its number on this stream: shorter than its ID. */
  readonly n: number;
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  readonly connection: string;
  readonly metricName: string;
  /** Whether KEDA gets a number. */
  readonly up: boolean;
  readonly active?: boolean;
  readonly items?: number;
  readonly value?: number;
  readonly target?: number;
  readonly desired?: number;
  readonly surge?: string;
  /** Why there is no number now. */
  readonly error?: string;
  readonly wake?: { readonly cause: string; readonly at: number };
  readonly nudgeAt?: number;
  /** The last failure, if it has ended. */
  readonly lastError?: { readonly message: string; readonly at: number };
}

export interface ConnectionRow {
  readonly name: string;
  readonly source: string;
  readonly triggers: number;
  /** How many of them have an error now, and one of these. */
  readonly failing: number;
  readonly error?: string;
  /** How many queues, groups or owners are read for all of them. */
  readonly subjects: number;
  /** To the upstream, in the last minutes. */
  readonly requestsPerMinute: number;
  /** How many the upstream still allows in its hour, where it says so, and how many it usually grants. */
  readonly remaining?: number;
  readonly granted?: number;
  /** Whether it is this pod of several that asks the upstream; absent where each asks for itself. */
  readonly hasLease?: boolean;
}

/** Some of what has changed since the last one. */
export interface Change {
  readonly rows?: readonly Row[];
  /** Numbers of rows, each followed by when its reading was last confirmed. */
  readonly ages?: readonly number[];
  /** Numbers of rows that are gone. */
  readonly gone?: readonly number[];
}

/** Everything that changed has been sent. */
export interface Tick {
  readonly now: number;
  readonly version: string;
  readonly ready: boolean;
  readonly connections: readonly ConnectionRow[];
}

/** The backlog of a trigger's last hour: the largest value of each minute, oldest first. Null means unknown. */
export type Sparks = Readonly<Record<string, readonly (number | null)[]>>;

/** What a trigger's own page is made of, beside its row and history. */
export interface Details {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** As `explain` says it. */
  readonly explain: string;
}
