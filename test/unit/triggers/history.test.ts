import { describe, expect, it } from 'vitest';
import {
  fineMs,
  Histories,
  History,
  type HistoryLimits,
  mostPoints,
  type Recorded,
} from '../../../src/triggers/history.ts';
import type { Point } from '../../../src/triggers/points.ts';

const hourMs = 3_600_000;

function histories(limits: Partial<HistoryLimits> = {}): Histories {
  const all = new Histories();
  all.use({ hours: 6, bytes: 10_485_760, ...limits });
  return all;
}

function waiting(backlog: number | undefined, arrived?: number): Recorded {
  return {
    backlog,
    value: backlog,
    target: 10,
    active: backlog === undefined ? undefined : backlog > 0,
    flow: arrived === undefined ? undefined : { arrived, places: 1 },
  };
}

/** A history with these backlogs, this many ms apart. */
function told(backlogs: readonly (number | undefined)[], everyMs: number, all = histories()): History {
  const history = new History('shop', all);
  for (const [i, backlog] of backlogs.entries()) history.record(waiting(backlog), i * everyMs);
  return history;
}

function pointsOf(history: History, nowMs: number): readonly (readonly [number, number | undefined])[] {
  return history.pointsSince(0, nowMs).map(({ atMs, backlog }) => [atMs, backlog]);
}

describe('kept readings', () => {
  it.each<[string, readonly (number | undefined)[], readonly (number | undefined)[]]>([
    ['what always stays quiet takes nothing', [0, 0, 0, 0], []],
    ['what is never known takes nothing', [undefined, undefined, undefined], []],
    ['quiet, then work: also since when it was quiet', [0, 0, 0, 7], [0, 0, 7]],
    ['the same for long is its first and last time', [5, 5, 5, 5, 5, 8], [5, 5, 8]],
    ['an unknown between two numbers', [5, undefined, 6], [5, undefined, 6]],
    ['each interval once', [1, 2, 3, 4], [1, 2, 3, 4]],
  ])('%s', (_, backlogs, kept) => {
    const history = told(backlogs, fineMs);
    expect(history.bytes > 0).toBe(kept.length > 0);
    if (kept.length === 0) return;
    const nowMs = (backlogs.length - 1) * fineMs;
    const found = history.pointsSince(0, nowMs);
    expect(found.map(({ backlog }) => backlog)).toEqual(kept);
  });

  it.each<[string, readonly number[], readonly number[]]>([
    ['the last one', [1, 2, 3], [3]],
    ['a peak and the last one', [1, 90, 3, 4], [90, 4]],
    ['of two peaks the higher one', [1, 50, 3, 90, 4], [90, 4]],
    ['a peak that falls at once', [90, 3], [90, 3]],
  ])('have of the readings within an interval %s', (_, backlogs, kept) => {
    const history = told(backlogs, 1000);
    const found = history.pointsSince(0, (backlogs.length - 1) * 1000);
    expect(found.map(({ backlog }) => backlog)).toEqual(kept);
  });

  it('add up the arrivals of the readings in one point', () => {
    const history = new History('shop', histories());
    for (const [atMs, arrived] of [
      [0, 100],
      [10_000, 110],
      [11_000, 125],
      [20_000, 131],
      [30_000, 7],
    ] as const) {
      history.record(waiting(9, arrived), atMs);
    }
    // The count 7 began again.
    const found = history.pointsSince(0, 30_000);
    expect(found.map(({ arrivals }) => arrivals)).toEqual([undefined, 25, 6, undefined]);
  });

  it('keep arrivals that never wait', () => {
    const history = new History('shop', histories());
    for (let i = 0; i < 3; i += 1) history.record(waiting(0, 100 * i), i * fineMs);
    const found = history.pointsSince(0, 2 * fineMs);
    expect(found.map(({ arrivals }) => arrivals)).toEqual([undefined, undefined, 100, 100]);
    expect(found.at(-1)).toMatchObject({ backlog: 0, arrivals: 100 });
  });

  it('forget what is older than the configured hours, but not the value at that time', () => {
    const history = told([5, 6, 7], hourMs, histories({ hours: 1.5 }));
    expect(pointsOf(history, 2 * hourMs)).toEqual([
      [0, 5],
      [hourMs, 6],
      [2 * hourMs, 7],
    ]);
    history.record(waiting(8), 3 * hourMs);
    expect(pointsOf(history, 3 * hourMs)[0]).toEqual([hourMs, 6]);
  });

  it('give their room back after that much quiet time', () => {
    const all = histories({ hours: 1 });
    const history = told([5, 0, 0], fineMs, all);
    expect(all.bytes).toBeGreaterThan(0);
    for (let atMs = 3 * fineMs; atMs < 2 * hourMs; atMs += hourMs / 4) history.record(waiting(0), atMs);
    expect([all.bytes, history.bytes]).toEqual([0, 0]);
    expect(history.pointsSince(hourMs, 2 * hourMs)).toMatchObject([
      { atMs: hourMs, backlog: 0 },
      { atMs: 2 * hourMs, backlog: 0 },
    ]);
  });

  it('begin with the value at that time if only the last part is requested', () => {
    const history = told([1, 2, 3, 4], fineMs);
    expect(history.pointsSince(1.5 * fineMs, 3 * fineMs)).toMatchObject([
      { atMs: 1.5 * fineMs, backlog: 2 },
      { backlog: 3 },
      { backlog: 4 },
    ]);
  });

  it('are dropped when history is turned off', () => {
    const all = histories();
    const history = told([1, 2, 3], fineMs, all);
    history.note({ kind: 'activated', atMs: 1 });
    all.use({ hours: 0, bytes: 10_485_760 });
    expect(all.bytes).toBe(0);
    history.record(waiting(9), 4 * fineMs);
    history.note({ kind: 'activated', atMs: 4 * fineMs });
    expect([history.pointsSince(0, 5 * fineMs), history.eventsSince(0), all.bytes]).toEqual([[], [], 0]);
  });
});

describe('an endless history', () => {
  it('gets coarser with age, keeps the highest spike, and stays within its most points', () => {
    const all = histories({ hours: 168, bytes: 100_000_000 });
    const history = new History('shop', all);
    const count = 40_000;
    for (let i = 0; i < count; i += 1) {
      history.record(waiting(i === 1234 ? 1_000_000 : 10 + (i % 7)), i * fineMs);
    }
    const found = history.pointsSince(0, (count - 1) * fineMs);
    expect(found.length).toBeLessThanOrEqual(mostPoints);
    expect(found.filter(({ backlog }) => backlog === 1_000_000)).toMatchObject([{ atMs: 1234 * fineMs }]);
    const times = found.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const gap = (points: readonly Point[]): number =>
      ((points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0)) / points.length;
    expect(gap(found.slice(0, 1000))).toBeGreaterThan(2 * gap(found.slice(-1000)));
  });

  it('loses no arrivals', () => {
    const all = histories({ bytes: 65_536, hours: 168 });
    const history = new History('shop', all);
    for (let i = 0; i < 20_000; i += 1) history.record(waiting(1 + (i % 13), 3 * i), i * fineMs);
    const points = history.pointsSince(0, 19_999 * fineMs);
    const sum = points.reduce((total, { arrivals = 0 }) => total + arrivals, 0);
    // The first reading has no arrivals, and neither do readings merged into it.
    const since = points.find(({ arrivals }) => arrivals !== undefined);
    const first = points[points.indexOf(since as Point) - 1]?.atMs ?? 0;
    expect(sum).toBe(3 * (19_999 - Math.round(first / fineMs)));
  });
});

describe('events', () => {
  it('are kept in order, cut, and bounded in number', () => {
    const all = histories();
    const history = new History('shop', all);
    for (let i = 0; i < 200; i += 1) history.note({ kind: 'failing', atMs: i, error: 'x'.repeat(5000) });
    const events = history.eventsSince(0);
    expect(events).toHaveLength(50);
    expect(events.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 50 }, (_, i) => 150 + i));
    expect(events[0]?.error).toHaveLength(300);
    expect(history.bytes).toBe(all.bytes);
    expect(all.bytes).toBeGreaterThan(50 * 600);
  });

  it('are forgotten after the hours', () => {
    const history = new History('shop', histories({ hours: 1 }));
    history.note({ kind: 'activated', atMs: 0 });
    history.note({ kind: 'deactivated', atMs: hourMs });
    history.record(waiting(1), 1.5 * hourMs);
    expect(history.eventsSince(0)).toEqual([{ kind: 'deactivated', atMs: hourMs }]);
  });
});
