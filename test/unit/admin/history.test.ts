import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyCsv, historyView, parseHistoryQuery } from '../../../src/admin/history.ts';
import { readHistory } from '../../../src/simulation/history.ts';
import { Histories, History } from '../../../src/triggers/history.ts';
import type { Point } from '../../../src/triggers/points.ts';
import type { TriggerPast } from '../../../src/triggers/triggers.ts';
import { statusWith } from '../../support/statuses.ts';

const startMs = Date.UTC(2026, 0, 1);

function pastOf(points: readonly (Partial<Point> & { atMs: number })[], nowMs = 0): TriggerPast {
  const whole = points.map(({ atMs, ...given }) => ({
    backlog: undefined,
    arrivals: undefined,
    value: undefined,
    target: 10,
    active: undefined,
    ...given,
    atMs: startMs + atMs,
  }));
  return { summary: statusWith(), points: whole, events: [], nowMs: startMs + nowMs };
}

describe('the query of a history', () => {
  it.each([
    [{}, { seconds: undefined, format: 'json' }],
    [{ seconds: '60' }, { seconds: 60, format: 'json' }],
    [
      { format: 'csv', seconds: '604800' },
      { seconds: 604_800, format: 'csv' },
    ],
  ])('%j', (query, parsed) => expect(parseHistoryQuery(query)).toEqual(parsed));

  it.each([
    [{ seconds: '0' }, ['seconds must be a whole number from 1 to 604800']],
    [{ seconds: '1.5' }, ['seconds must be a whole number from 1 to 604800']],
    [{ seconds: ['1', '2'] }, ['seconds must be a whole number from 1 to 604800']],
    [
      { seconds: '604801', format: 'xml', from: 'x' },
      [
        'unknown query parameter "from"; known are seconds, format',
        'seconds must be a whole number from 1 to 604800',
        'format must be json or csv',
      ],
    ],
  ])('%j has faults, all at once', (query, faults) => expect(parseHistoryQuery(query)).toEqual({ faults }));
});

describe('a history as JSON or CSV', () => {
  it('shows unknown values as null, and replicas as the HPA rounds', () => {
    const past = pastOf(
      [{ atMs: 0 }, { atMs: 1000, backlog: 41, arrivals: 7, value: 41, active: true }],
      2000,
    );
    expect(historyView(past)).toEqual({
      id: 'id-1',
      namespace: 'shop',
      name: 'orders-worker',
      source: 'kafka',
      metricName: 'kafka-workers-orders',
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-01T00:00:02.000Z',
      points: [
        {
          time: '2026-01-01T00:00:00.000Z',
          backlog: null,
          value: null,
          target: 10,
          active: null,
          desired: null,
        },
        {
          time: '2026-01-01T00:00:01.000Z',
          backlog: 41,
          arrivals: 7,
          value: 41,
          target: 10,
          active: true,
          desired: 5,
        },
      ],
      events: [],
    });
  });

  it('is CSV with empty fields for unknown values', () => {
    const past = pastOf([{ atMs: 0 }, { atMs: 1000, backlog: 0, value: 0, active: false }]);
    expect(historyCsv(past)).toBe(
      'time,backlog,arrivals,value,target,active,desired\n' +
        '2026-01-01T00:00:00.000Z,,,,10,,\n' +
        '2026-01-01T00:00:01.000Z,0,,0,10,false,0\n',
    );
  });

  it('repeats constant values each minute, and arrivals only once', () => {
    const same = { backlog: 3, value: 3, active: true };
    const past = pastOf([
      { atMs: 0, ...same, arrivals: 5 },
      { atMs: 150_000, ...same, arrivals: 9 },
    ]);
    expect(
      historyView(past).points.map(({ time, arrivals }) => [Date.parse(time) - startMs, arrivals]),
    ).toEqual([
      [0, 5],
      [60_000, 0],
      [120_000, 0],
      [150_000, 9],
    ]);
  });
});

describe('simulate', () => {
  it('takes every history that is recorded, in both forms', () => {
    const readings = fc.array(
      fc.record({
        afterMs: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 60_000 })),
        backlog: fc.option(fc.oneof(fc.constant(0), fc.nat(99)), { nil: undefined }),
      }),
      { minLength: 2, maxLength: 30 },
    );
    fc.assert(
      fc.property(readings, fc.integer({ min: 0, max: 100_000 }), (all, fromMs) => {
        const histories = new Histories();
        histories.use({ hours: 1, bytes: 1_000_000 });
        const history = new History('shop', histories);
        let nowMs = 0;
        for (const { afterMs, backlog } of all) {
          nowMs += afterMs + 0.3;
          const active = backlog === undefined ? undefined : backlog > 0;
          history.record({ backlog, value: backlog, target: 10, active }, nowMs);
        }
        const points = history.pointsSince(Math.min(fromMs, nowMs), nowMs);
        const past = pastOf(
          points.map(({ atMs, ...point }) => ({ ...point, atMs: atMs + 0.6 })),
          nowMs,
        );
        for (const text of [historyCsv(past), JSON.stringify(historyView(past))]) {
          const read = readHistory(text, 'h');
          const faults = 'faults' in read ? read.faults : [];
          expect(faults.filter((fault) => !/two are needed|nothing can be played/.test(fault))).toEqual([]);
        }
      }),
    );
  });
});
