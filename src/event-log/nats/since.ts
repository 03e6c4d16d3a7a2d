import type { StreamConfig, StreamInfo } from '@nats-io/jetstream';
import type { KeptSince } from '../../sources/inbound.ts';

/*
 * Since when the stream has every event of a connection. Pure. A bucket beside the stream, whose entries never expire,
 * keeps the head of the whole stream, and when each connection was first followed.
 */

/** What the bucket keeps about the whole stream. */
export interface StreamHead extends KeptSince {
  /** When the server created it, as the server writes it. A new stream of the same name has another time. */
  readonly created: string;
  /** How many damaged messages the server has found in it. */
  readonly lost: number;
}

/** The state of the stream by the server, and by this process. */
export interface StreamFacts {
  readonly created: string;
  readonly lost: number;
  /** The last sequence that the server assigned, and the highest that this process has seen. */
  readonly lastSequence: number;
  readonly seenSequence: number;
}

/** The head to write now. The same object if nothing has changed. */
export function streamHead(known: StreamHead | undefined, facts: StreamFacts, nowMs: number): StreamHead {
  const { created, lost, lastSequence, seenSequence } = facts;
  if (known === undefined) return { created, lost, atMs: nowMs, because: 'new' };
  const isWhole = known.created === created && lost <= known.lost && lastSequence >= seenSequence;
  return isWhole ? known : { created, lost, atMs: nowMs, because: 'damaged' };
}

/** Whether a process that knew the head `before` must read the stream again. Another pod may have found the damage first. */
export function isDamage(before: StreamHead, now: StreamHead, facts: StreamFacts): boolean {
  if (before.created !== facts.created || facts.lastSequence < facts.seenSequence) return true;
  return now.because === 'damaged' && now.atMs !== before.atMs;
}

/** A connection's part of the stream when a reader begins to read it, or continues. Times are in ms since 1970. */
export interface StreamPart {
  /** Since when the stream is whole, and when the connection was first followed. Where a reader continues: what it found before. */
  readonly known: readonly KeptSince[];
  /** When the last event was stored that the reader surely has. Undefined at the beginning. What was dropped before is no loss. */
  readonly readUntilMs: number | undefined;
  /** How many events the stream has for the reader, and the most that it may have of the connection. */
  readonly count: number;
  readonly maxCount: number;
  /** When the first event for the reader was stored. Undefined without one. */
  readonly firstMs: number | undefined;
  /** When the stream's oldest event was stored. */
  readonly streamFirstMs: number | undefined;
  readonly messages: number;
  readonly maxMessages: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** The longest that an event is kept, in ms. */
  readonly maxAgeMs: number;
}

/** From this part of its limit on, a stream may have dropped its oldest messages to stay below. */
const nearlyFull = 0.9;

/** Since when the reader has all events of the connection. If some may have been dropped, they count as dropped. */
export function keptSince(part: StreamPart, nowMs: number): KeptSince {
  const { known, readUntilMs = Number.NEGATIVE_INFINITY, count, maxCount, firstMs, streamFirstMs } = part;
  const dropped: number[] = [nowMs - part.maxAgeMs];
  if (count >= maxCount && firstMs !== undefined) dropped.push(firstMs);
  const isFull = part.bytes >= part.maxBytes * nearlyFull || part.messages >= part.maxMessages;
  if (isFull && streamFirstMs !== undefined) dropped.push(streamFirstMs);
  const losses = dropped
    .filter((atMs) => atMs > readUntilMs)
    .map((atMs): KeptSince => ({ atMs, because: 'dropped' }));
  return [...known, ...losses].reduce((latest, one) => (one.atMs > latest.atMs ? one : latest));
}

/** Limits of a stream. */
export interface Limits {
  readonly maxAgeMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

export const nanosPerMs = 1_000_000;

/** The server writes "no limit" as 0 or -1. */
export function limitOf(value: number): number {
  return value > 0 ? value : Number.POSITIVE_INFINITY;
}

export function limitsOf(
  config: Pick<StreamConfig, 'max_age' | 'max_msgs_per_subject' | 'max_bytes'>,
): Limits {
  return {
    maxAgeMs: limitOf(config.max_age) / nanosPerMs,
    maxCount: limitOf(config.max_msgs_per_subject),
    maxBytes: limitOf(config.max_bytes),
  };
}

/** When the first message of a stream was stored, in ms since 1970. */
export function firstMs({ state }: Pick<StreamInfo, 'state'>): number | undefined {
  return state.messages === 0 ? undefined : Date.parse(state.first_ts);
}

/**
 * Since when a stream is whole, given that its limits change now. Events dropped under lower limits stay dropped.
 * Undefined if none was. Connections that were at their own limit are handled one by one, in `stream.ts`.
 */
export function sinceRaise(
  before: Limits,
  after: Limits,
  { bytes, streamFirstMs }: Pick<StreamPart, 'bytes' | 'streamFirstMs'>,
  nowMs: number,
): KeptSince | undefined {
  const dropped: number[] = [];
  if (after.maxAgeMs > before.maxAgeMs) dropped.push(nowMs - before.maxAgeMs);
  if (after.maxBytes > before.maxBytes && bytes >= before.maxBytes * nearlyFull)
    dropped.push(streamFirstMs ?? nowMs);
  return dropped.length === 0 ? undefined : { atMs: Math.max(...dropped), because: 'dropped' };
}
