import { didYouMean } from '../../params/suggest.ts';
import { quote } from '../../printable.ts';
import type { Pace, Reading, Target } from '../source.ts';
import { backlogsOf, type EventsConfig } from './config.ts';
import type { EventsParams } from './params.ts';
import type { EventsSnapshot } from './snapshot.ts';

/** The trigger's reading: the items that are queued or running, and since when the oldest of the queued ones has been. */
export function backlog(
  { activationItems }: EventsParams,
  { counts, queuedSinceMs, coverage }: EventsSnapshot,
): Reading {
  const items = counts.queued + counts.running;
  const active = items > activationItems;
  if (coverage.kind === 'whole') {
    const oldest = queuedSinceMs !== undefined && { oldest: { sinceMs: queuedSinceMs, atLeast: false } };
    return { kind: 'known', items, active, ...oldest, detail: () => ({ ...counts }) };
  }
  const { error } = coverage;
  if (coverage.kind === 'replaying' || !active) return { kind: 'unknown', error };
  return { kind: 'active', why: `${items} items by events so far; ${error.message}` };
}

export function target({ backlog, targetItems, activationItems }: EventsParams): Target {
  return { perReplica: targetItems, activation: activationItems, nameParts: [backlog] };
}

/** A backlog that no event can fill is a mistake. */
export function conflict({ backlog }: EventsParams, config: EventsConfig): string | undefined {
  const known = backlogsOf(config);
  if (known.has(backlog)) return undefined;
  return `backlog: the connection has ${[...known].join(', ')}, not ${quote(backlog)}${didYouMean(backlog, known)}`;
}

/** Events wake the subject; this is for items that expire, and costs nothing. */
const readMs = 10_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}
