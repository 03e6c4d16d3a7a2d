import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryPoint } from '../../../src/simulation/history.ts';
import { loadOf } from '../../../src/simulation/load.ts';

const recorded = { replicaRate: 2, minReplicaCount: 0, maxReplicaCount: 10 };

type Point = Partial<HistoryPoint> & { readonly s: number };

function load(points: readonly Point[], hasBacklog = true) {
  const all = points.map(({ s, backlog, arrivals, desired, active }) => ({
    atMs: s * 1000,
    backlog,
    arrivals,
    desired,
    active,
  }));
  return loadOf({ points: all, hasBacklog }, recorded);
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, one) => all + one, 0);

describe('the arrivals', () => {
  it.each<[string, readonly Point[], readonly number[]]>([
    [
      'as it was recorded',
      [
        { s: 0, backlog: 0 },
        { s: 4, backlog: 0, arrivals: 8 },
      ],
      [2, 2, 2, 2],
    ],
    [
      'whole items only',
      [
        { s: 0, backlog: 0 },
        { s: 4, backlog: 1, arrivals: 2 },
      ],
      [0, 1, 0, 1],
    ],
    [
      'what the backlog grew by',
      [
        { s: 0, backlog: 0 },
        { s: 2, backlog: 6 },
      ],
      [3, 3],
    ],
    [
      'and what replicas worked off while something waited',
      [
        { s: 0, backlog: 5, desired: 1, active: true },
        { s: 2, backlog: 5 },
      ],
      [2, 2],
    ],
    [
      'within the limits',
      [
        { s: 0, backlog: 5, desired: 99, active: true },
        { s: 1, backlog: 5 },
      ],
      [20],
    ],
    [
      'nothing where nothing is left',
      [
        { s: 0, backlog: 5, desired: 1 },
        { s: 2, backlog: 0 },
      ],
      [0, 0],
    ],
    [
      'over what is not known, by what is known around it',
      [{ s: 0, backlog: 0 }, { s: 1 }, { s: 3, backlog: 6 }],
      [2, 2, 2],
    ],
    [
      'less what is known of it',
      [
        { s: 0, backlog: 0 },
        { s: 1, arrivals: 4 },
        { s: 3, backlog: 6 },
      ],
      [4, 1, 1],
    ],
  ])('are %s', (_, points, expected) => {
    expect([...load(points).arrivals]).toEqual(expected);
  });

  it('are not zero where the backlog is unknown: the scaler has no number', () => {
    const { known, notes, backlog } = load([
      { s: 0, backlog: 3 },
      { s: 2 },
      { s: 4, backlog: 3 },
      { s: 5, backlog: 3 },
    ]);
    expect([...known]).toEqual([1, 1, 0, 0, 1]);
    expect(backlog).toBe(3);
    expect(notes.join()).toContain('1 of 4 points have no backlog. That is no zero');
  });

  it('are known throughout if only arrivals are recorded', () => {
    const { known, notes } = load([{ s: 0 }, { s: 2, arrivals: 1 }, { s: 3, arrivals: 0 }], false);
    expect([...known]).toEqual([1, 1, 1]);
    expect(notes).toEqual([]);
  });

  it('begin with a part that is only known by what follows', () => {
    const later = [{ s: 0 }, { s: 1, arrivals: 4 }, { s: 2, arrivals: 2, backlog: 10 }];
    expect(load(later).backlog).toBe(4);
    expect(load([{ s: 0 }, { s: 1, arrivals: 40 }, { s: 2, backlog: 10 }]).backlog).toBe(0);
  });

  it('lose ends without data', () => {
    const { startMs, arrivals, notes } = load([
      { s: 0 },
      { s: 5, backlog: 0 },
      { s: 7, backlog: 4 },
      { s: 9 },
    ]);
    expect([startMs, [...arrivals]]).toEqual([5_000, [2, 2]]);
    expect(notes).toContain('Left out at the ends: 2 of 4 points, which have no number.');
  });

  it('show where nothing was recorded', () => {
    const points = [...Array.from({ length: 10 }, (_, i) => ({ s: i, backlog: 0 })), { s: 999, backlog: 0 }];
    expect(load(points).notes.join()).toMatch(/a gap of 990 s without any point/);
  });

  it('state their assumption', () => {
    expect(
      load([
        { s: 0, backlog: 0 },
        { s: 1, backlog: 1 },
      ]).notes,
    ).toEqual([
      expect.stringMatching(/^Arrivals are not recorded: they are estimated as the growth of the backlog/),
    ]);
    expect(
      load([
        { s: 0, backlog: 0 },
        { s: 1, backlog: 1, arrivals: 1 },
      ]).notes,
    ).toEqual([]);
  });

  it.each<[string, Point, number]>([
    ['what was asked for', { s: 0, backlog: 9, desired: 3 }, 3],
    ['within the limits', { s: 0, backlog: 9, desired: 30 }, 10],
    ['none where it was inactive', { s: 0, backlog: 0, desired: 3, active: false }, 0],
    ['one where nobody says how many', { s: 0, backlog: 9 }, 1],
  ])('begin with %s', (_, point, replicas) => {
    expect(load([point, { s: 5, backlog: 0 }]).replicas).toBe(replicas);
  });

  it('neither lose nor add anything to the record', () => {
    const step = fc.record({
      ms: fc.integer({ min: 1, max: 9_000 }),
      arrivals: fc.integer({ min: 0, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
        let atMs = 0;
        const points: Point[] = [{ s: 0, backlog: 0 }];
        for (const { ms, arrivals } of steps) {
          atMs += ms;
          points.push({ s: atMs / 1000, backlog: 0, arrivals });
        }
        const { arrivals } = load(points);
        expect(sum(arrivals)).toBe(sum(steps.map((one) => one.arrivals)));
        expect([...arrivals].every((items) => items >= 0 && Number.isInteger(items))).toBe(true);
      }),
    );
  });
});
