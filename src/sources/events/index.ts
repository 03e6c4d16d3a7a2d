import { createHash } from 'node:crypto';
import type { InboundCloudEvent } from '../inbound.ts';
import type { Source } from '../source.ts';
import { eventsAbout } from './about.ts';
import { conflict, type EventsConfig, eventsConfig } from './config.ts';
import { connect } from './connection.ts';
import { type EventsParams, eventsParams } from './params.ts';
import { backlog, type EventsSnapshot, pace, target } from './rules/backlog.ts';
import type { ItemFact } from './rules/fact.ts';
import { factsOf } from './rules/mapping.ts';

/** Work items that CloudEvents announce: queued, running, finished. */
export const events: Source<EventsParams, EventsConfig, EventsSnapshot, undefined> = {
  kind: 'events',
  about: eventsAbout,
  params: eventsParams,
  threshold: 'targetItems',
  maxStalenessSeconds: 3600,
  config: eventsConfig,
  connectionKeys: {},
  place: ({ items, presets }) => ({ addresses: [], part: { items, presets } }),
  cloudEvents: { fact },
  minReadMs: () => 0,
  // Reads are of memory, and twice as often: once a second.
  leastStalenessSeconds: () => 2,
  conflict,
  connect,
  fold: () => undefined,
  evaluate: (params, { snapshot, wasActive }) => backlog(params, snapshot, wasActive),
  pace,
  target,
};

/** A longer key is kept as its hash. */
const maxKeyLength = 200;

/** The work items of an event, as they are stored: every key is bounded. Undefined if it has none. */
export function fact(config: EventsConfig, event: InboundCloudEvent): readonly ItemFact[] | undefined {
  return factsOf(config, event)?.map((one) =>
    one.key.length <= maxKeyLength ? one : { ...one, key: `sha256:${sha256(one.key)}` },
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
