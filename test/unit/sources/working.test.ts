import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backlog as eventsBacklog } from '../../../src/sources/events/rules/backlog.ts';
import { backlog as githubBacklog } from '../../../src/sources/github/rules/backlog.ts';
import { backlog as kafkaBacklog } from '../../../src/sources/kafka/rules/backlog.ts';
import { fold } from '../../../src/sources/kafka/rules/history.ts';
import type { Reading } from '../../../src/sources/source.ts';
import { mostCharacters, mostRows, type Working, WorkingRows } from '../../../src/sources/working.ts';
import { snapshotOf as jobs } from './github/rules/open-jobs.ts';
import { paramsOf as githubParams } from './github/trigger-params.ts';
import { paramsOf as kafkaParams, type Offsets, snapshotOf as offsets } from './kafka/rules/offsets.ts';
import { paramsOf as sqsParams } from './sqs/trigger-params.ts';
import { readingsOf } from './sqs/watching.ts';

function workingOf(reading: Reading): Working {
  const working = reading.kind === 'unknown' ? undefined : reading.working?.();
  return working ?? expect.fail(`a reading without its working: ${reading.kind}`);
}

function sumOf({ rows, more }: Working): number {
  return rows.reduce((sum, { items }) => sum + items, more.items);
}

/** `[name, items, why]` of each row. */
function rowsOf({ rows }: Working) {
  return rows.map(({ name, items, because }) => [name, items, because]);
}

const nowMs = 1_000_000;

function kafkaRead(
  list: Offsets,
  given: Parameters<typeof kafkaParams>[0] = {},
  earlier: readonly Offsets[] = [],
) {
  let history: ReturnType<typeof fold> | undefined;
  let atMs = nowMs - 600_000 * earlier.length;
  for (const before of earlier) {
    history = fold(history, offsets({ orders: before }), atMs);
    atMs += 600_000;
  }
  const snapshot = offsets({ orders: list });
  return kafkaBacklog(kafkaParams(given), snapshot, fold(history, snapshot, nowMs), nowMs);
}

describe('the working of a kafka reading', () => {
  it('names the rule of each partition', () => {
    const list: Offsets = [
      [0, 1000, 170],
      [900, 1000, 170],
      [0, 1000, 1000],
      [100, 1000, null],
    ];
    expect(rowsOf(workingOf(kafkaRead(list)))).toEqual([
      ['orders/0', 830, 'end - committed'],
      ['orders/1', 100, 'end - logStart: what was deleted counts no more'],
      ['orders/2', 0, 'no lag'],
      ['orders/3', 1, 'no commit; offsetResetPolicy latest counts 1, so that the group can start'],
    ]);
    const [none] = workingOf(kafkaRead([[100, 1000, null]], { offsetResetPolicy: 'earliest' })).rows;
    expect(none).toEqual({
      name: 'orders/0',
      items: 900,
      because: 'no commit; offsetResetPolicy earliest counts end - logStart',
      said: { committed: 'none', logStart: 100, end: 1000 },
    });
    expect(rowsOf(workingOf(kafkaRead([[100, 1000, null]], { scaleToZeroOnInvalidOffset: true })))).toEqual([
      ['orders/0', 0, 'no commit; scaleToZeroOnInvalidOffset counts 0'],
    ]);
  });

  it('says where a commit beyond the end, or a stuck one, does not count', () => {
    const lost: Offsets = [[0, 50, 90]];
    const [beyond] = workingOf(kafkaRead(lost, {}, [lost, lost])).rows;
    expect(beyond?.because).toMatch(/^the commit lies beyond the end, and counts as none; /);
    const stuck: Offsets = [
      [0, 50, 20],
      [0, 50, 10],
    ];
    const moved: Offsets = [
      [0, 50, 20],
      [0, 50, 40],
    ];
    const reading = kafkaRead(moved, { excludePersistentLag: true }, [stuck]);
    expect(rowsOf(workingOf(reading))).toEqual([
      ['orders/0', 0, expect.stringMatching(/^excludePersistentLag: a lag of 30 .* only keeps/)],
      ['orders/1', 10, 'end - committed'],
    ]);
  });

  it('says what caps the number', () => {
    const list: Offsets = [
      [0, 50, 20],
      [0, 50, 50],
    ];
    const rules = (given: Parameters<typeof kafkaParams>[0]) => workingOf(kafkaRead(list, given)).rules;
    expect(rules({})).toEqual(['at most 2 replicas can have work: a partition has one consumer']);
    expect(rules({ limitToPartitionsWithLag: true })).toEqual([
      'at most 1 replicas can have work: limitToPartitionsWithLag, and so many partitions have lag',
    ]);
    expect(rules({ allowIdleConsumers: true })).toEqual([]);
  });

  it('shows the most important of a thousand partitions, and still adds up', () => {
    const list = Array.from({ length: 1000 }, (_, i) => [0, 5000, 5000 - i] as const);
    const reading = kafkaRead(list);
    const working = workingOf(reading);
    expect(working.rows).toHaveLength(mostRows);
    expect(working.rows[0]?.name).toBe(`orders/${1000 - mostRows}`);
    expect(working.more.rows).toBe(1000 - mostRows);
    expect(sumOf(working)).toBe(reading.kind === 'known' && reading.items);
  });
});

const anyCount = fc.nat(9);

describe('the parts add up to the reading', () => {
  it('of SQS, with any settings', () => {
    const metadata = fc.record({
      scaleOnInFlight: fc.constantFrom('true', 'false'),
      scaleOnDelayed: fc.constantFrom('true', 'false'),
    });
    fc.assert(
      fc.property(metadata, anyCount, anyCount, anyCount, (given, visible, inFlight, delayed) => {
        const [reading] = readingsOf(sqsParams(given), [{ atMs: 0, visible, inFlight, delayed }]);
        const working = workingOf(reading ?? expect.fail());
        expect(sumOf(working)).toBe(reading?.items);
        expect(working.rows.map(({ said }) => Object.values(said))).toEqual([
          [visible],
          [inFlight],
          [delayed],
        ]);
      }),
    );
  });

  it('of GitHub, with any labels', () => {
    const sets = fc.constantFrom('', 'self-hosted', 'gpu self-hosted', 'ubuntu-latest');
    const table = fc.dictionary(
      fc.constantFrom('acme/a', 'acme/b'),
      fc.dictionary(sets, fc.tuple(anyCount, anyCount)),
    );
    const metadata = fc.record({
      labels: fc.constantFrom('', 'gpu', 'ubuntu-latest'),
      count: fc.constantFrom('queued', 'queued,running'),
    });
    fc.assert(
      fc.property(table, metadata, fc.constantFrom([], ['acme/a', 'acme/b']), (jobsOf, given, repos) => {
        const { count } = given;
        const params = githubParams({ labels: given.labels, ...(count === 'queued' && { count }) });
        const reading = githubBacklog(params, jobs(jobsOf, { repos }));
        expect(sumOf(workingOf(reading))).toBe(reading.kind === 'known' && reading.items);
      }),
    );
  });

  it('of work items', () => {
    fc.assert(
      fc.property(anyCount, anyCount, (queued, running) => {
        const params = { backlog: 'builds', targetItems: 1, activationItems: 0 };
        const coverage = { kind: 'whole' } as const;
        const snapshot = { counts: { queued, running }, queuedSinceMs: undefined, coverage };
        const reading = eventsBacklog(params, snapshot);
        expect(sumOf(workingOf(reading))).toBe(reading.kind === 'known' && reading.items);
      }),
    );
  });
});

it('jobs that are skipped say which label is missing', () => {
  const table = { 'acme/a': { 'gpu self-hosted': [2, 1], 'self-hosted': [3, 1], '': [1, 0] } } as const;
  const given = { labels: 'arm', count: 'queued', matchUnlabeledJobsWithUnlabeledRunners: 'true' };
  const reading = githubBacklog(githubParams(given), jobs(table, { repos: ['acme/a'] }));
  expect(rowsOf(workingOf(reading))).toEqual([
    ['acme/a [gpu, self-hosted]', 0, 'skipped: the trigger\'s runners have no label "gpu"'],
    ['acme/a [self-hosted]', 3, 'queued jobs count'],
    ['acme/a []', 0, expect.stringContaining('skipped: asks for no label')],
  ]);
});

describe('rows', () => {
  it('are bounded in number and bytes, and printable', () => {
    const rows = new WorkingRows();
    const long = `\u001b[31m${'x'.repeat(100_000)}`;
    for (let i = 0; i < 100_000; i += 1) rows.add({ name: long, items: 1, because: long, said: {} });
    const working = rows.working('things', [long, undefined]);
    expect(working.rows).toHaveLength(mostRows);
    expect(working.more).toEqual({ rows: 100_000 - mostRows, items: 100_000 - mostRows });
    expect(JSON.stringify(working).length).toBeLessThan((2 * mostRows + 1) * (mostCharacters + 100));
    expect(working.rows[0]?.name).toMatch(/^\\u001b\[31mx+…$/);
  });

  it('keep their order, and the largest ones however many more come', () => {
    const rows = new WorkingRows(2);
    const add = (name: string, items: number, weight?: number): void =>
      rows.add({ name, items, because: '', said: {} }, weight);
    add('a', 5);
    add('b', 1);
    add('c', 0, 9);
    expect(rows.working('things', []).rows.map(({ name }) => name)).toEqual(['a', 'c']);
  });
});
