import { describe, expect, it } from 'vitest';
import { age, ago, number, rate, shortNumber } from '../../../../src/admin/page/format.ts';
import { everything, Rows, type Wanted } from '../../../../src/admin/page/rows.ts';
import { sparkPath } from '../../../../src/admin/page/spark.ts';
import type { Row } from '../../../../src/admin/page/wire.ts';

function row(n: number, given: Partial<Row> = {}): Row {
  return {
    n,
    id: `id-${n}`,
    namespace: 'shop',
    name: `worker-${n}`,
    source: 'kafka',
    connection: 'orders',
    metricName: `kafka-${n}`,
    up: true,
    active: false,
    ...given,
  };
}

function found(rows: Rows, wanted: Partial<Wanted> = {}): number[] {
  return rows.find({ ...everything, ...wanted }).map(({ row: { n } }) => n);
}

const rows = new Rows();
rows.apply({
  rows: [
    row(1, { namespace: 'ci', items: 5, active: true, desired: 2, wake: { cause: 'watch', at: 50 } }),
    row(2, { items: 700, active: true, desired: 70, nudgeAt: 9 }),
    row(3, { error: 'down', up: false }),
    row(4, { source: 'sqs', connection: 'EU', items: 0, desired: 0 }),
  ],
  ages: [1, 100, 2, 300, 4, 200],
});

describe('the rows of the page', () => {
  it.each<[Partial<Wanted>, number[]]>([
    [{}, [3, 1, 2, 4]],
    [{ sort: 'name', descending: false }, [1, 2, 3, 4]],
    [{ sort: 'backlog', descending: true }, [2, 1, 4, 3]],
    [{ sort: 'backlog', descending: false }, [3, 4, 1, 2]],
    [{ sort: 'desired', descending: true }, [2, 1, 4, 3]],
    [{ sort: 'age', descending: true }, [1, 4, 2, 3]],
    [{ sort: 'wake', descending: true }, [1, 2, 3, 4]],
    [{ sort: 'nudge', descending: true }, [2, 1, 3, 4]],
    [{ sort: 'error', descending: true }, [3, 1, 2, 4]],
    [{ namespace: 'ci' }, [1]],
    [{ state: 'active' }, [1, 2]],
    [{ state: 'failing' }, [3]],
    [{ state: 'idle' }, [4]],
    [{ search: 'eu SQS' }, [4]],
    [{ search: 'shop/worker-2' }, [2]],
    [{ search: 'nothing' }, []],
  ])('%j', (wanted, numbers) => expect(found(rows, wanted)).toEqual(numbers));

  it('are counted', () => {
    expect(rows.totals()).toEqual({ triggers: 4, active: 2, failing: 1, items: 705, desired: 72 });
    expect(rows.namespaces()).toEqual(['ci', 'shop']);
  });

  it('change and go; one that comes back has another number', () => {
    const own = new Rows();
    own.apply({ rows: [row(1), row(2)] });
    own.apply({ rows: [row(1, { items: 9 })], gone: [2] });
    expect([own.size, own.byId('id-1')?.row.items, own.byId('id-2')]).toEqual([1, 9, undefined]);
    own.apply({ rows: [row(7, { id: 'id-1' })] });
    own.apply({ gone: [1, 99] });
    expect(own.byId('id-1')?.row.n).toBe(7);
  });
});

describe('numbers and times for people', () => {
  it.each<[string, string]>([
    [number(undefined), '–'],
    [number(null), '–'],
    [number(1_234_567), '1,234,567'],
    [number(0.25), '0.25'],
    [shortNumber(99_999), '99,999'],
    [shortNumber(1_250_000), '1.3M'],
    [age(undefined), '–'],
    [age(-5), 'now'],
    [age(59_999), '59 s'],
    [age(60_000), '1 min'],
    [age(7_200_000), '2 h'],
    [age(172_800_000), '2 d'],
    [ago(900), 'now'],
    [ago(3_000), '3 s ago'],
    [rate(30), '30 requests/min'],
    [rate(138), '2.3 requests/s'],
  ])('%s', (text, expected) => expect(text).toBe(expected));
});

describe('the small chart', () => {
  const size = { width: 40, height: 10 };
  it('has a step for each value, and a gap for an unknown one', () => {
    expect(sparkPath([0, 8, null, 4], size)).toEqual({
      line: 'M0 9H10V1H20M30 5H40',
      area: 'M0 10L0 9L10 9L10 1L20 1L20 10ZM30 10L30 5L40 5L40 10Z',
    });
  });

  it('is empty without points', () => expect(sparkPath([], size)).toEqual({ line: '', area: '' }));
});
