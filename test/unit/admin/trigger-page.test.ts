import { describe, expect, it } from 'vitest';
import { parsePageQuery, type TriggerPage, triggerPage } from '../../../src/admin/trigger-page.ts';
import { listOf, manyStatuses, statusWith } from '../../support/statuses.ts';

const next = ({ nextCursor }: TriggerPage) => (nextCursor === undefined ? {} : { cursor: nextCursor });

describe('triggerPage', () => {
  it('shows a trigger with its age in seconds', async () => {
    const { triggers, nextCursor } = await triggerPage(
      listOf([statusWith({ error: 'down', detail: { lag: 4 } })]),
      { limit: 10 },
    );
    expect(nextCursor).toBeUndefined();
    expect(triggers).toEqual([
      {
        id: 'id-1',
        namespace: 'shop',
        name: 'orders-worker',
        source: 'kafka',
        connection: 'orders',
        metricName: 'kafka-workers-orders',
        target: 10,
        value: 42,
        active: true,
        ageSeconds: 1.234,
        up: true,
        error: 'down',
        detail: { lag: 4 },
      },
    ]);
  });

  it('shows in seconds when each thing last happened', async () => {
    const { triggers } = await triggerPage(
      listOf([
        statusWith({
          lastWake: { cause: 'watch', ageMs: 1500 },
          lastNudge: { ageMs: 250 },
          lastError: { message: 'was down', ageMs: 60_000 },
        }),
      ]),
      { limit: 10 },
    );
    expect(triggers).toMatchObject([
      {
        lastWake: { cause: 'watch', secondsAgo: 1.5 },
        lastNudge: { secondsAgo: 0.25 },
        lastError: { message: 'was down', secondsAgo: 60 },
      },
    ]);
  });

  it('shows how old the oldest item is, and marks a least age', async () => {
    const shown = async (atLeast: boolean) => {
      const { triggers } = await triggerPage(
        listOf([statusWith({ oldest: { ageMs: 312_456.7, atLeast } })]),
        {
          limit: 10,
        },
      );
      return triggers[0];
    };
    expect(await shown(true)).toMatchObject({ oldestItemAgeSeconds: 312.457, oldestItemAgeAtLeast: true });
    const near = await shown(false);
    expect(near).toHaveProperty('oldestItemAgeSeconds', 312.457);
    expect(near).not.toHaveProperty('oldestItemAgeAtLeast');
    expect(near).not.toHaveProperty('oldest');
  });

  it('shows why a trigger is refused, and no fields that it lacks', async () => {
    const {
      value: _,
      active: __,
      ageMs: ___,
      ...rest
    } = statusWith({
      source: '',
      connection: '',
      metricName: '',
      up: false,
      error: 'source: is required',
    });
    const { triggers } = await triggerPage(listOf([rest]), { limit: 10 });
    expect(triggers).toEqual([
      { id: 'id-1', namespace: 'shop', name: 'orders-worker', up: false, error: 'source: is required' },
    ]);
  });

  it.each([1, 7, 300, 1000])('gives every trigger once, in order, %i at a time', async (limit) => {
    const triggers = listOf(manyStatuses(2100).slice(0, limit === 1 ? 20 : undefined));
    const seen: string[] = [];
    let page = await triggerPage(triggers, { limit });
    for (;;) {
      expect(page.triggers.length).toBeLessThanOrEqual(limit);
      seen.push(...page.triggers.map(({ namespace, name }) => `${namespace}/${name}`));
      if (page.nextCursor === undefined) break;
      page = await triggerPage(triggers, { limit, ...next(page) });
    }
    const all = triggers.statuses().map(({ namespace, name }) => `${namespace}/${name}`);
    expect(seen).toEqual(all.sort());
  });

  it('misses and repeats nothing when a shown trigger goes between two pages', async () => {
    const statuses = ['a', 'b', 'c', 'd'].map((name) => statusWith({ id: name, name }));
    const first = await triggerPage(listOf(statuses), { limit: 2 });
    const second = await triggerPage(listOf(statuses.slice(1)), { limit: 2, ...next(first) });
    expect([...first.triggers, ...second.triggers].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps twins apart, so that none is lost between two pages', async () => {
    const twins = [statusWith({ id: 'x', target: 1 }), statusWith({ id: 'y', target: 2 })];
    const first = await triggerPage(listOf(twins), { limit: 1 });
    const second = await triggerPage(listOf(twins), { limit: 1, ...next(first) });
    expect([...first.triggers, ...second.triggers].map(({ target }) => target)).toEqual([1, 2]);
  });

  it('shows one namespace', async () => {
    const { triggers } = await triggerPage(listOf(manyStatuses(100)), { limit: 1000, namespace: 'ns-3' });
    expect(triggers).toHaveLength(10);
    expect(new Set(triggers.map(({ namespace }) => namespace))).toEqual(new Set(['ns-3']));
  });
});

describe('parsePageQuery', () => {
  it.each([
    [{}, { limit: 100 }],
    [
      { limit: '1000', cursor: 'x', namespace: 'shop' },
      { limit: 1000, cursor: 'x', namespace: 'shop' },
    ],
  ])('%j', (query, expected) => {
    expect(parsePageQuery(query)).toEqual(expected);
  });

  it.each([
    { limit: '0' },
    { limit: '1001' },
    { limit: '-1' },
    { limit: '1e3' },
    { limit: ['1', '2'] },
    { limits: '1' },
    { cursor: ['a', 'b'] },
  ])('%j is refused', (query) => {
    expect(parsePageQuery(query)).toHaveProperty('fault');
  });
});
