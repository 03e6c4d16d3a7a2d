import type { Source } from '../../../src/sources/source.ts';
import { linesAbout } from './about.ts';
import { type LinesConfig, linesConfig, linesConnectionKeys } from './config.ts';
import { type LinesParams, linesParams } from './params.ts';
import { backlog, type LinesSnapshot, pace, target } from './rules/backlog.ts';
import { connect } from './upstream/connection.ts';

/** The lines that wait in a file: the smallest source that has every part. */
export const lines: Source<LinesParams, LinesConfig, LinesSnapshot, undefined> = {
  kind: 'lines',
  about: linesAbout,
  params: linesParams,
  config: linesConfig,
  files: { pin: 'secret' },
  connectionKeys: linesConnectionKeys,
  maxStalenessSeconds: 20,
  requestsAnHour: 36_000,
  place: ({ directory }) => ({ addresses: [directory] }),
  local: ['activeReadMs'],
  minReadMs: ({ activeReadMs }) => activeReadMs,
  // Three reads, since one may be late or lost.
  leastStalenessSeconds: (_, { activeReadMs }) => (3 * activeReadMs) / 1000,
  connect,
  fold: () => undefined,
  evaluate: (params, { snapshot }) => backlog(params, snapshot),
  pace,
  target,
};
