import { describe, expect, it } from 'vitest';
import { historyCsv, historyView, parseHistoryQuery } from '../../../src/admin/history.ts';
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

describe('a history that is told', () => {
  it('says what is not known with null, and replicas as the HPA rounds', () => {
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

  it('is CSV with empty fields for what is not known', () => {
    const past = pastOf([{ atMs: 0 }, { atMs: 1000, backlog: 0, value: 0, active: false }]);
    expect(historyCsv(past)).toBe(
      'time,backlog,arrivals,value,target,active,desired\n' +
        '2026-01-01T00:00:00.000Z,,,,10,,\n' +
        '2026-01-01T00:00:01.000Z,0,,0,10,false,0\n',
    );
  });

  it('repeats each minute what does not change, and what arrived only once', () => {
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
