import { describe, expect, it } from 'vitest';
import { fold, type SqsHistory } from '../../../../src/sources/sqs/rules/history.ts';
import { pace } from '../../../../src/sources/sqs/rules/pace.ts';

const config = { idleReadSeconds: 60, activeReadSeconds: 2 };
const nothing = { visible: 0, inFlight: 0, delayed: 0 };

function historyOf(...reads: [atMs: number, counts: object][]): SqsHistory {
  let history: SqsHistory | undefined;
  for (const [atMs, counts] of reads) history = fold(history, { ...nothing, ...counts }, atMs);
  return history ?? { reads: [], busyAtMs: undefined };
}

const idle = historyOf([0, nothing], [5000, nothing]);

function next(view: { nowMs?: number; lastHintAtMs?: number; active?: boolean; history?: SqsHistory }) {
  const { nowMs = 5000, lastHintAtMs, active = false, history = idle } = view;
  const taken = { snapshot: nothing, takenAtMs: nowMs, watch: 'none' as const };
  return pace(config, { ...taken, nowMs, lastHintAtMs, active, history });
}

describe('the next read', () => {
  it.each([
    ['idle', {}, 60_000],
    ['active', { active: true }, 2_000],
    ['after a hint', { nowMs: 5000, lastHintAtMs: 5000 }, 1_000],
    ['just after a hint', { nowMs: 5020, lastHintAtMs: 5000 }, 1_000],
    ['3 s after it', { nowMs: 6000, lastHintAtMs: 5000 }, 2_000],
    ['10 s after it', { nowMs: 8010, lastHintAtMs: 5000 }, 6_990],
    ['30 s after it', { nowMs: 15_000, lastHintAtMs: 5000 }, 20_000],
    ['60 s after it', { nowMs: 35_000, lastHintAtMs: 5000 }, 30_000],
    ['when its tail is over', { nowMs: 65_000, lastHintAtMs: 5000 }, 60_000],
    ['active, in the tail of a hint', { active: true, nowMs: 15_000, lastHintAtMs: 5000 }, 2_000],
    ['before a hint that is spread', { nowMs: 5000, lastHintAtMs: 5800 }, 800],
  ])('%s', (_, view, nextReadMs) => {
    expect(next(view)).toEqual({ nextReadMs, watch: false });
  });

  it('a read a little before its time counts for it', () => {
    expect(next({ nowMs: 5600, lastHintAtMs: 5000 }).nextReadMs).toBe(2400);
  });

  it('is never within a second of this one, whenever the hint was', () => {
    for (let sinceHintMs = 0; sinceHintMs <= 70_000; sinceHintMs += 10)
      expect(next({ nowMs: 80_000, lastHintAtMs: 80_000 - sinceHintMs }).nextReadMs).toBeGreaterThanOrEqual(
        1_000,
      );
  });

  it('comes after a second when one read has seen messages', () => {
    expect(next({ history: historyOf([0, nothing], [5000, { visible: 1 }]) }).nextReadMs).toBe(1000);
  });

  it('and not again when two have', () => {
    const history = historyOf([0, nothing], [5000, { visible: 1 }], [6000, { visible: 1 }]);
    expect(next({ history }).nextReadMs).toBe(60_000);
  });

  it('does not hurry for messages in flight, nor while a trigger is active', () => {
    expect(next({ history: historyOf([0, nothing], [5000, { inFlight: 1 }]) }).nextReadMs).toBe(60_000);
    const history = historyOf([0, nothing], [5000, { visible: 1 }]);
    expect(next({ history, active: true }).nextReadMs).toBe(2000);
  });
});
