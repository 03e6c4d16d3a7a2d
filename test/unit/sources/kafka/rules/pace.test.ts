import { describe, expect, it } from 'vitest';
import { fold, type KafkaHistory } from '../../../../../src/sources/kafka/rules/history.ts';
import { pace } from '../../../../../src/sources/kafka/rules/pace.ts';
import type { WatchState } from '../../../../../src/sources/source.ts';
import { lags, snapshotOf } from './offsets.ts';

const config = { activeReadMs: 1000, reconcileSeconds: 30 };
const snapshot = snapshotOf({ orders: lags(0) });
const history = fold(undefined, snapshot, 0);
/** Each read finds another end, and no lag. */
const movingReads = 20;
const restless = movingFor(movingReads);

function movingFor(reads: number, everyMs = 1000): KafkaHistory {
  let moving = history;
  for (let read = 1; read <= reads; read += 1) {
    moving = fold(moving, snapshotOf({ orders: [[0, read, read]] }), read * everyMs);
  }
  return moving;
}

describe('pace', () => {
  it.each<[string, number, boolean, WatchState, number, boolean]>([
    ['just seen, inactive: watched at once', 0, false, 'none', 1000, true],
    ['just seen, active', 0, true, 'none', 1000, false],
    ['active, almost quiet', 14_999, true, 'none', 1000, false],
    ['inactive, the watch is arming', 1000, false, 'arming', 1000, true],
    ['inactive and watched: at the next reconcile of all', 2000, false, 'armed', 28_000, true],
    ['just reconciled', 30_002, false, 'armed', 29_998, true],
    ['inactive, the watch is refused', 2000, false, 'refused', 1000, true],
    ['active for long without a new record, not yet watched', 17_000, true, 'none', 1000, true],
    ['quiet and watched, but lag is still worked off', 17_000, true, 'armed', 1000, true],
    ['became active by a record', 1000, true, 'armed', 1000, false],
  ])('%s', (_, nowMs, active, watch, nextReadMs, watched) => {
    expect(paceOf(history, nowMs, active, watch)).toEqual({ nextReadMs, watch: watched });
  });

  it('reads again soon if the next read decides about a commit beyond the end', () => {
    const beyond = snapshotOf({ orders: [[0, 9, 100]] });
    const once = fold(undefined, beyond, 0);
    expect(paceOf(once, 2000, false, 'armed')).toEqual({ nextReadMs: 1000, watch: true });
    expect(paceOf(fold(once, beyond, 1000), 2000, false, 'armed').nextReadMs).toBe(28_000);
  });

  it('leaves an inactive subject to the clock if its end moves all the time', () => {
    const lastReadAtMs = movingReads * 1000;
    expect(paceOf(restless, lastReadAtMs, false, 'none')).toEqual({ nextReadMs: 1000, watch: false });
    expect(paceOf(restless, lastReadAtMs, false, 'armed')).toEqual({ nextReadMs: 1000, watch: false });
    expect(paceOf(restless, lastReadAtMs + 15_000, false, 'none').watch).toBe(true);
  });

  it('watches again five seconds after the end of such traffic', () => {
    let after = restless;
    const watched: boolean[] = [];
    for (let read = 1; read <= 7; read += 1) {
      const nowMs = (movingReads + read) * 1000;
      after = fold(after, snapshotOf({ orders: lags(0) }), nowMs);
      watched.push(paceOf(after, nowMs, false, 'none').watch);
    }
    // The first of these finds the end at 0, so it has moved once more.
    expect(watched.slice(0, 5)).toEqual([false, false, false, false, false]);
    expect(watched.at(-1)).toBe(true);
  });

  it('does not mind a record every five seconds, for as long as they come', () => {
    const every = movingFor(1000, 5000);
    expect(paceOf(every, 5_000_000, false, 'none').watch).toBe(true);
  });
});

function paceOf(of: KafkaHistory, nowMs: number, active: boolean, watch: WatchState) {
  const view = { snapshot, history: of, nowMs, takenAtMs: nowMs, lastHintAtMs: undefined, active, watch };
  return pace(config, view);
}
