import { describe, expect, it } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';
import { type KafkaTriggers, openKafka } from '../../support/kafka/kafka-triggers.ts';

describe('the number of a Kafka trigger, on a real broker', () => {
  const kafka = useKafka({ heapMiB: 256 });
  const open = (): KafkaTriggers => openKafka({ bootstrapServers: [...kafka().cluster.bootstrap.plain] });

  /** A topic with this many records in each partition. */
  async function topicWith(...records: number[]): Promise<string> {
    const topic = await kafka().createTopic({ partitions: records.length });
    await Promise.all(records.map((count, partition) => kafka().produce(topic, count, { partition })));
    return topic;
  }

  it('is the lag behind the commits, and follows records and commits', async () => {
    const topic = await topicWith(10, 4);
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 7, 1: 4 });
    const on = open();
    expect(await on.answer({ consumerGroup, topic })).toMatchObject({
      kind: 'known',
      value: 3,
      active: true,
    });
    await kafka().produce(topic, 2, { partition: 1 });
    await on.becomes({ consumerGroup, topic }, 5);
    await kafka().commit(consumerGroup, topic, { 0: 10, 1: 6 });
    await on.becomes({ consumerGroup, topic }, 0);
    expect(await on.active({ consumerGroup, topic })).toBe(false);
  });

  it('shows the oldest record’s least age, until the group has handled the records from before', async () => {
    const topic = await topicWith(10);
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 7 });
    const on = open();
    expect(await on.value({ consumerGroup, topic })).toBe(3);
    expect(on.status({ consumerGroup, topic })?.oldest).toMatchObject({ atLeast: true });
    await kafka().produce(topic, 2, { partition: 0 });
    await on.becomes({ consumerGroup, topic }, 5);
    expect(on.status({ consumerGroup, topic })?.oldest).toMatchObject({ atLeast: true });
    await kafka().commit(consumerGroup, topic, { 0: 10 });
    await on.becomes({ consumerGroup, topic }, 2);
    expect(on.status({ consumerGroup, topic })?.oldest).toMatchObject({ atLeast: false });
    await kafka().commit(consumerGroup, topic, { 0: 12 });
    await on.becomes({ consumerGroup, topic }, 0);
    expect(on.status({ consumerGroup, topic })).not.toHaveProperty('oldest');
  });

  it('stays within the partitions, except for idle consumers', async () => {
    const topic = await topicWith(40, 9);
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 0, 1: 0 });
    const on = open();
    const trigger = { consumerGroup, topic, lagThreshold: '5' };
    expect(await on.value(trigger)).toBe(10);
    expect(await on.value({ ...trigger, allowIdleConsumers: 'true' })).toBe(49);
    expect(await on.value({ ...trigger, activationLagThreshold: '49' })).toBe(10);
    expect(await on.active({ ...trigger, activationLagThreshold: '49' })).toBe(false);
    expect(await on.active({ ...trigger, activationLagThreshold: '48' })).toBe(true);
  });

  it('follows offsetResetPolicy if the group never committed', async () => {
    const topic = await topicWith(5, 0, 3);
    const trigger = { consumerGroup: kafka().name('group'), topic };
    const on = open();
    expect(await on.value(trigger)).toBe(3);
    expect(await on.value({ ...trigger, offsetResetPolicy: 'earliest' })).toBe(8);
    expect(await on.value({ ...trigger, scaleToZeroOnInvalidOffset: 'true' })).toBe(0);
  });

  it('sums up a list of topics, those of a pattern, and those with commits of the group', async () => {
    const stem = kafka().name('orders');
    const [eu, us] = [`${stem}.eu`, `${stem}.us`];
    const consumerGroup = kafka().name('group');
    for (const [name, count] of [[eu, 2] as const, [us, 3] as const]) {
      await kafka().createTopic({ name });
      await kafka().produce(name, count);
    }
    await kafka().commit(consumerGroup, eu, { 0: 0 });
    const on = open();
    const earliest = { consumerGroup, offsetResetPolicy: 'earliest' };
    expect(await on.value({ ...earliest, topic: `${eu}, ${us}` })).toBe(5);
    expect(await on.value({ ...earliest, topicPattern: `${stem}.*` })).toBe(5);
    expect(await on.refusal({ ...earliest, topicPattern: '*.nowhere' })).toMatch(
      /^unavailable: .*matches no topic/,
    );
    expect(await on.value(earliest)).toBe(2);
    expect(await on.refusal({ consumerGroup: kafka().name('nobody') })).toMatch(
      /^unavailable: .*has no committed offset/,
    );

    await kafka().createTopic({ name: `${stem}.asia` });
    await kafka().produce(`${stem}.asia`, 4);
    await on.becomes({ ...earliest, topicPattern: `${stem}.*` }, 9);
    await kafka().commit(consumerGroup, us, { 0: 1 });
    await on.becomes(earliest, 4);
  });

  it('reads only the partitions of partitionLimitation', async () => {
    const topic = await topicWith(1, 2, 4, 8);
    const trigger = { consumerGroup: kafka().name('group'), topic, offsetResetPolicy: 'earliest' };
    const on = open();
    expect(await on.value({ ...trigger, partitionLimitation: '1,3' })).toBe(10);
    expect(await on.value({ ...trigger, partitionLimitation: '0-2' })).toBe(7);
    expect(await on.refusal({ ...trigger, partitionLimitation: '9' })).toMatch(
      /^invalid: .*partitionLimitation/,
    );
  });

  it('ends at the last stable offset with readCommitted, and at the high watermark without', async () => {
    const topic = await kafka().createTopic();
    const consumerGroup = kafka().name('group');
    await kafka().produce(topic, 1);
    await kafka().commit(consumerGroup, topic, { 0: 0 });
    const on = open();
    const committed = { consumerGroup, topic, isolationLevel: 'readCommitted' };
    const producer = kafka().client.producer({
      transactionalId: kafka().name('transaction'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] });
    await on.becomes({ consumerGroup, topic }, 3);
    expect(await on.value(committed)).toBe(1);
    await transaction.commit();
    // The marker of the transaction takes an offset too.
    await on.becomes(committed, 4);
    await on.becomes({ consumerGroup, topic }, 4);
    await producer.disconnect();
  });

  it('does not count deleted records', async () => {
    const topic = await topicWith(10);
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 2 });
    const on = open();
    const uncommitted = { consumerGroup: kafka().name('nobody'), topic, offsetResetPolicy: 'earliest' };
    expect(await on.value({ consumerGroup, topic })).toBe(8);
    expect(await on.value(uncommitted)).toBe(10);
    await kafka().admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    await on.becomes({ consumerGroup, topic }, 4);
    await on.becomes(uncommitted, 4);
    await kafka().admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
    await on.becomes({ consumerGroup, topic }, 0);
    await on.becomes(uncommitted, 0);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('counts records, not batches, of %s', async (codec) => {
    const topic = await kafka().createTopic({ config: { 'compression.type': codec } });
    await kafka().produce(topic, 7, { bytes: 2000 });
    expect(
      await open().value({ consumerGroup: kafka().name('group'), topic, offsetResetPolicy: 'earliest' }),
    ).toBe(7);
  });

  it('falls back to offsetResetPolicy when the group is deleted', async () => {
    const topic = await topicWith(6);
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 5 });
    const on = open();
    const trigger = { consumerGroup, topic, offsetResetPolicy: 'earliest' };
    expect(await on.value(trigger)).toBe(1);
    await kafka().admin.deleteGroups([consumerGroup]);
    await on.becomes(trigger, 6);
  });

  it('counts from the new start when a topic is deleted and created again', async () => {
    const topic = await topicWith(9, 9);
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 8, 1: 8 });
    const on = open();
    const trigger = { consumerGroup, topic, offsetResetPolicy: 'earliest' };
    expect(await on.value(trigger)).toBe(2);
    await kafka().admin.deleteTopics({ topics: [topic] });
    await on.refuses({ ...trigger, maxStalenessSeconds: '1' }, /^not_found: .*does not exist/);
    await kafka().createTopic({ name: topic, partitions: 3 });
    await kafka().produce(topic, 5, { partition: 1 });
    await on.becomes(trigger, 5);
    expect(on.status(trigger)?.detail).toMatchObject({ partitions: 3, partitionsWithoutCommit: 3 });
  });

  it('is unknown while a topic is missing, and known once it exists', async () => {
    const topic = kafka().name('later');
    const trigger = { consumerGroup: kafka().name('group'), topic, offsetResetPolicy: 'earliest' };
    const on = open();
    expect(await on.refusal(trigger)).toMatch(
      new RegExp(`^not_found: kafka trigger of shop/worker: .*topic "${topic}".* does not exist`),
    );
    await kafka().createTopic({ name: topic });
    await kafka().produce(topic, 3);
    await on.becomes(trigger, 3);
  });

  it('is unknown if one topic of a list is missing, and other triggers do not notice', async () => {
    const topic = await topicWith(4);
    const missing = kafka().name('missing');
    const consumerGroup = kafka().name('group');
    const on = open();
    const good = { consumerGroup, topic, offsetResetPolicy: 'earliest' };
    const [number, refusal] = await Promise.all([
      on.value(good),
      on.refusal({ ...good, topic: `${topic},${missing}` }),
    ]);
    expect(number).toBe(4);
    expect(refusal).toMatch(new RegExp(`^not_found: .*topic "${missing}"`));
    expect(refusal).not.toContain(topic);
    await kafka().produce(topic, 1);
    await on.becomes(good, 5);
  });

  it('is refused for names that Kafka does not allow', async () => {
    const topic = await topicWith(1);
    const on = open();
    const consumerGroup = kafka().name('group');
    expect(await on.refusal({ consumerGroup, topic: 'a topic!' })).toMatch(/^invalid: .*topic "a topic!"/);
    expect(await on.refusal({ consumerGroup, topic: 'x'.repeat(300) })).toMatch(
      /^invalid: .*topic: has members of more than 249 characters/,
    );
    expect(await on.value({ consumerGroup, topic })).toBe(1);
  });

  it('costs the broker one request of each kind for many triggers', async () => {
    const topics = await Promise.all(Array.from({ length: 10 }, () => topicWith(1)));
    const groups = Array.from({ length: 10 }, () => kafka().name('group'));
    const on = openKafka({
      bootstrapServers: [...kafka().cluster.bootstrap.plain],
      activeReadMs: 60_000,
      reconcileSeconds: 60,
    });
    const numbers = await Promise.all(
      topics.flatMap((topic) => groups.map((consumerGroup) => on.value({ topic, consumerGroup }))),
    );
    expect(new Set(numbers)).toEqual(new Set([1]));
    expect(await on.reads()).toBe(100);
    expect(await on.requests('Metadata')).toBe(1);
    expect(await on.requests('FindCoordinator')).toBe(1);
    expect(await on.requests('OffsetFetch')).toBe(1);
    // Ends, and starts of logs.
    expect(await on.requests('ListOffsets')).toBe(2);
  });
});
