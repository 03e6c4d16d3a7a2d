import { describe, expect, it } from 'vitest';
import { fold } from '../../../../src/sources/kafka/history.ts';
import { pace } from '../../../../src/sources/kafka/pace.ts';
import type { WatchState } from '../../../../src/sources/source.ts';
import { lags, snapshotOf } from './offsets.ts';

const config = { activeReadMs: 1000, reconcileSeconds: 30 };
const snapshot = snapshotOf({ orders: lags(0) });
const history = fold(undefined, snapshot, 0);

describe('pace', () => {
  it.each<[string, number, boolean, WatchState, number, boolean]>([
    ['just seen', 0, false, 'none', 1000, false],
    ['almost quiet', 14_999, false, 'none', 1000, false],
    ['quiet, not yet watched', 15_000, false, 'none', 1000, true],
    ['quiet, the watch is arming', 16_000, false, 'arming', 1000, true],
    ['quiet and watched: at the next reconcile of all', 17_000, false, 'armed', 13_000, true],
    ['just reconciled', 30_002, false, 'armed', 29_998, true],
    ['quiet, the watch is refused', 17_000, false, 'refused', 1000, true],
    ['quiet and watched, but lag is still worked off', 17_000, true, 'armed', 1000, true],
    ['quiet and active, not yet watched', 17_000, true, 'none', 1000, true],
    ['moved while armed', 10_000, false, 'armed', 1000, false],
  ])('%s', (_, nowMs, active, watch, nextReadMs, watched) => {
    const view = { snapshot, history, nowMs, takenAtMs: nowMs, lastHintAtMs: undefined, active, watch };
    expect(pace(config, view)).toEqual({ nextReadMs, watch: watched });
  });
});
