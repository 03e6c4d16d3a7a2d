import type { Source } from '../source.ts';
import { backlog, conflict, pace, target } from './backlog.ts';
import { type EventsConfig, eventsConfig } from './config.ts';
import { connect } from './connection.ts';
import { fact } from './mapping.ts';
import { type EventsParams, eventsParams } from './params.ts';
import type { EventsSnapshot } from './snapshot.ts';

/** Work items that CloudEvents tell of: queued, running, finished. */
export const events: Source<EventsParams, EventsConfig, EventsSnapshot, undefined> = {
  kind: 'events',
  params: eventsParams,
  maxStalenessSeconds: 3600,
  config: eventsConfig,
  connectionKeys: {},
  place: ({ items, presets }) => ({ items, presets }),
  cloudEvents: { fact },
  minReadMs: () => 0,
  // Reads are of memory, and twice as often: once a second.
  leastStalenessSeconds: () => 2,
  conflict,
  connect,
  fold: () => undefined,
  evaluate: (params, { snapshot }) => backlog(params, snapshot),
  pace,
  target,
};
