import type { KeptSince } from '../../sources/source.ts';

/*
 * Since when the stream has every event of a connection: pure. Two things are written down beside the stream, in a bucket
 * that forgets nothing: what is known of the stream as a whole, and when each connection was first followed.
 */

/** What is known of the stream as a whole. */
export interface StreamHead extends KeptSince {
  /** When the server made it, in its own words: another stream of the same name has another time. */
  readonly created: string;
  /** How many messages the server has found damaged in it. */
  readonly lost: number;
}

/** What the server says of the stream. */
export interface StreamFacts {
  readonly created: string;
  readonly lost: number;
  /** The last sequence that was given, and the highest that this process has seen. */
  readonly lastSequence: number;
  readonly seenSequence: number;
}

/** The head as it is to be written now; the same object where nothing has changed. */
export function streamHead(known: StreamHead | undefined, facts: StreamFacts, nowMs: number): StreamHead {
  const { created, lost, lastSequence, seenSequence } = facts;
  if (known === undefined) return { created, lost, atMs: nowMs, because: 'new' };
  const isWhole = known.created === created && lost <= known.lost && lastSequence >= seenSequence;
  return isWhole ? known : { created, lost, atMs: nowMs, because: 'damaged' };
}

/** A connection's part of the stream, as it is when its replay begins. */
export interface Kept {
  readonly stream: KeptSince;
  /** When the connection was first followed. */
  readonly connection: KeptSince;
  /** How many of its events are there, and the most that may be. */
  readonly count: number;
  readonly maxCount: number;
  /** When the first of them was stored, and the first of all in the stream; undefined: there is none. In ms since 1970. */
  readonly firstMs: number | undefined;
  readonly streamFirstMs: number | undefined;
  readonly bytes: number;
  readonly maxBytes: number;
  /** The longest that an event is kept, in ms. */
  readonly maxAgeMs: number;
}

/** So near to its limit, a stream may have dropped its oldest to stay below it. */
const nearlyFull = 0.9;

/** Since when all events of the connection are there. Where it is not certain whether some were dropped, they may have been. */
export function keptSince(kept: Kept, nowMs: number): KeptSince {
  const { stream, connection, count, maxCount, firstMs, streamFirstMs, bytes, maxBytes, maxAgeMs } = kept;
  const dropped: number[] = [nowMs - maxAgeMs];
  if (count >= maxCount && firstMs !== undefined) dropped.push(firstMs);
  if (bytes >= maxBytes * nearlyFull && streamFirstMs !== undefined) dropped.push(streamFirstMs);
  const reasons: KeptSince[] = [
    stream,
    connection,
    ...dropped.map((atMs) => ({ atMs, because: 'dropped' }) as const),
  ];
  return reasons.reduce((latest, one) => (one.atMs > latest.atMs ? one : latest));
}

/** Limits of a stream. */
export interface Limits {
  readonly maxAgeMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

/**
 * Since when a stream is whole whose limits are changed now: what was dropped under lower ones stays dropped. Undefined:
 * nothing was. Connections that had as many events as they could are told of one by one.
 */
export function sinceRaise(
  before: Limits,
  after: Limits,
  { bytes, streamFirstMs }: Pick<Kept, 'bytes' | 'streamFirstMs'>,
  nowMs: number,
): KeptSince | undefined {
  const dropped: number[] = [];
  if (after.maxAgeMs > before.maxAgeMs) dropped.push(nowMs - before.maxAgeMs);
  if (after.maxBytes > before.maxBytes && bytes >= before.maxBytes * nearlyFull)
    dropped.push(streamFirstMs ?? nowMs);
  return dropped.length === 0 ? undefined : { atMs: Math.max(...dropped), because: 'dropped' };
}
