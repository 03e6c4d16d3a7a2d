import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../../../../../src/sources/kafka/upstream/protocol/error-codes.ts';
import { ModelKafka } from '../../../../../support/kafka/model-kafka.ts';
import { ModelReading, show, showResult } from '../../../../../support/kafka/model-reading.ts';

function shop(): { model: ModelKafka; reading: ModelReading } {
  const model = new ModelKafka(2);
  model.create('orders', { end: 10 });
  model.create('orders-eu', { end: 20, leaders: [1] });
  model.create('mail', { end: 30 });
  model.create('__consumer_offsets', { end: 1 });
  return { model, reading: new ModelReading(model) };
}

describe('the topics of a subject', () => {
  it('are the named ones, each once', async () => {
    const { reading } = shop();
    const topics = await reading.topics({ topics: ['orders', 'mail', 'orders'] });
    expect(show(topics)).toEqual({ orders: '0: 0..10@-', mail: '0: 0..30@-' });
  });

  it.each([
    ['orders*', ['orders', 'orders-eu']],
    ['*', ['mail', 'orders', 'orders-eu']],
    ['m?il', ['mail']],
    ['ORDERS', []],
    ['*r*e*u', ['orders-eu']],
    ['or.ers', []],
  ])('are those that match %s, without Kafka’s own', async (topicPattern, expected) => {
    const { reading } = shop();
    expect([...(await reading.topics({ topicPattern })).keys()]).toEqual(expected);
  });

  it('of a pattern are found within a reconcile after their creation', async () => {
    const { model, reading } = shop();
    await reading.topics({ topicPattern: 'orders*' });
    model.create('orders-us');
    expect((await reading.topics({ topicPattern: 'orders*' })).has('orders-us')).toBe(false);
    reading.nowMs += 30_000;
    expect((await reading.topics({ topicPattern: 'orders*' })).has('orders-us')).toBe(true);
  });

  it('without any name are those with commits of the group, with all their partitions', async () => {
    const { model, reading } = shop();
    model.create('orders', { partitions: 2, end: 10 });
    model.commit('workers', 'orders', 4, { coordinator: 1 });
    model.commit('workers', 'mail', 30);
    expect(show(await reading.topics({}))).toEqual({ orders: '0: 0..10@4, 1: 0..10@-', mail: '0: 0..30@30' });
  });

  it('do not exist for a group without commits', async () => {
    const { reading } = shop();
    expect(show(await reading.topics({ consumerGroup: 'nobody' }))).toEqual({});
  });

  it('of a group follow its new commits, with at most one ListOffsets for each broker', async () => {
    const { model, reading } = shop();
    model.commit('workers', 'orders', 4);
    await reading.topics({});
    model.commit('workers', 'mail', 5);
    expect(show(await reading.topics({}))).toEqual({ orders: '0: 0..10@4', mail: '0: 0..30@5' });
    model.forgetAsked();
    await reading.read([{}, { topics: ['orders'] }]);
    expect(model.asked.map(({ apiName }) => apiName).sort()).toEqual(['ListOffsets', 'OffsetFetch']);
  });

  it('grow by their new partitions within a reconcile', async () => {
    const { model, reading } = shop();
    await reading.topics({ topics: ['mail'] });
    model.create('mail', { partitions: 2, end: 30 });
    reading.nowMs += 30_000;
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 0..30@-, 1: 0..30@-' });
  });

  it('are found about a second after they are created', async () => {
    const { model, reading } = shop();
    expect(show(await reading.topics({ topics: ['new'] }))).toEqual({ new: 'not_found' });
    model.create('new');
    reading.nowMs += 1001;
    expect(show(await reading.topics({ topics: ['new'] }))).toEqual({ new: '0: 0..0@-' });
  });

  it('start at the new log start as soon as they are created again', async () => {
    const { model, reading } = shop();
    model.create('mail', { logStart: 500, end: 900 });
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 500..900@-' });
    model.create('mail', { logStart: 0, end: 3 });
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 0..3@-' });
  });

  it('start at the new log start also where the new log has passed the old start', async () => {
    const { model, reading } = shop();
    model.create('mail', { logStart: 500, end: 900 });
    await reading.topics({ topics: ['mail'] });
    await reading.topics({ topics: ['mail'], isolationLevel: 'readCommitted' });
    model.create('mail', { logStart: 0, end: 500 });
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 0..500@-' });
  });

  it('whose ends are not known have no number', async () => {
    const { model, reading } = shop();
    model.create('mail', { end: -1 });
    const { mail } = show(await reading.topics({ topics: ['mail'] }));
    expect(mail).toMatch(/unavailable/);
  });

  it('have starts that are at most one reconcile old', async () => {
    const { model, reading } = shop();
    await reading.topics({ topics: ['mail'] });
    model.partition('mail').logStart = 12;
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 0..30@-' });
    reading.nowMs += 30_000;
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 12..30@-' });
  });

  it('with fewer partitions than before are read without the old ones', async () => {
    const { model, reading } = shop();
    model.create('mail', { partitions: 3, end: 5 });
    await reading.topics({ topics: ['mail'] });
    model.create('mail', { partitions: 1, end: 2 });
    expect(show(await reading.topics({ topics: ['mail'] }))).toEqual({ mail: '0: 0..2@-' });
  });
});

describe('topics that were found by pattern or commits', () => {
  const refused = errorCodes.TOPIC_AUTHORIZATION_FAILED;

  it.each([
    ['that match a pattern', { topicPattern: 'orders*' }],
    ['that a group has commits for', {}],
  ])('%s are dropped once they are deleted, in the read that finds out', async (_, need) => {
    const { model, reading } = shop();
    model.commit('workers', 'orders', 4);
    model.commit('workers', 'orders-eu', 20);
    await reading.topics(need);
    model.topics.delete('orders-eu');
    expect(show(await reading.topics(need))).toMatchObject({ orders: expect.stringContaining('0..10') });
    expect([...(await reading.topics(need)).keys()]).toEqual(['orders']);
    reading.nowMs += 30_000;
    expect([...(await reading.topics(need)).keys()]).toEqual(['orders']);
  });

  it('stay, unread, while a broker that lists them says that it does not know them', async () => {
    const { model, reading } = shop();
    model.topicErrors.set('orders-eu', errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    expect(show(await reading.topics({ topicPattern: 'orders*' }))).toEqual({
      orders: '0: 0..10@-',
      'orders-eu': 'not_found',
    });
  });

  it.each([
    ['that match a pattern', { topicPattern: 'orders*' }, '-'],
    ['that a group has commits for', {}, '4'],
  ])('%s are unread, not gone, once our user may not see them', async (_, need, commit) => {
    const { model, reading } = shop();
    model.commit('workers', 'orders', 4);
    model.commit('workers', 'orders-eu', 4, { coordinator: 0 });
    if (commit === '-') model.groups.clear();
    await reading.topics(need);
    model.topicErrors.set('orders-eu', refused);
    for (const later of [30_000, 30_000, 30_000]) {
      reading.nowMs += later;
      expect(show(await reading.topics(need))).toEqual({
        orders: `0: 0..10@${commit}`,
        'orders-eu': 'unavailable',
      });
    }
    model.topicErrors.delete('orders-eu');
    reading.nowMs += 30_000;
    expect(show(await reading.topics(need))).toEqual({
      orders: `0: 0..10@${commit}`,
      'orders-eu': `0: 0..20@${commit}`,
    });
  });

  it('are dropped once their commits have expired', async () => {
    const { model, reading } = shop();
    model.commit('workers', 'orders', 4);
    model.commit('workers', 'mail', 4);
    await reading.topics({});
    model.groups.get('workers')?.commits.delete('mail');
    expect([...(await reading.topics({})).keys()]).toEqual(['orders']);
  });
});

describe('a commit beyond the last stable offset', () => {
  it('is read with the high watermark, which shows whether records exist for it', async () => {
    const { model, reading } = shop();
    model.commit('workers', 'orders', 8);
    model.partition('orders').lastStableOffset = 5;
    const need = { topics: ['orders'], isolationLevel: 'readCommitted' } as const;
    expect((await reading.topics(need)).get('orders')).toEqual({
      kind: 'whole',
      partitions: [{ partition: 0, logStart: 0, end: 5, committed: 8, highWatermark: 10 }],
    });
    model.forgetAsked();
    model.partition('orders').lastStableOffset = 9;
    expect(show(await reading.topics(need))).toEqual({ orders: '0: 0..9@8' });
    expect(model.count('ListOffsets')).toBe(1);
  });
});

describe('names that Kafka cannot carry', () => {
  it('fail alone', async () => {
    const { reading } = shop();
    const results = await reading.read([
      { topics: ['x'.repeat(40_000)] },
      { topics: ['mail'], consumerGroup: 'g'.repeat(40_000) },
      { topics: ['mail'] },
    ]);
    expect(showResult(results[0])).toEqual({ ['x'.repeat(40_000)]: 'invalid' });
    expect(showResult(results[1])).toContain('invalid: consumerGroup');
    expect(showResult(results[2])).toEqual({ mail: '0: 0..30@-' });
  });
});
