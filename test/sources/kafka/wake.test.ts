import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Activity } from '../../../src/triggers/followers.ts';
import { grant } from '../../support/kafka/acls.ts';
import { useKafka } from '../../support/kafka/broker.ts';
import { KafkaTriggers, openKafka } from '../../support/kafka/kafka-triggers.ts';

/** A subject at rest is not read by the clock, so any change was seen by the watch. */
const rarely = { reconcileSeconds: 3600, activeReadMs: 200 };
const day = String(24 * 3600);
const quietLimitMs = 120_000;

interface Quiet {
  topic: string;
  consumerGroup: string;
  trigger: Record<string, string>;
  told: Activity[];
}

describe('a quiet subject', () => {
  const kafka = useKafka({ heapMiB: 256, users: { reader: 'a-password' }, acls: true });
  let setUp: ReturnType<typeof prepare> | undefined;

  /** All at once, because it takes seconds to notice that nothing is read any longer. */
  const quiet = () => {
    setUp ??= prepare();
    return setUp;
  };
  afterAll(async () => {
    const made = await setUp;
    await Promise.all([made?.on.close(), made?.refused.on.close()]);
  });

  async function prepare() {
    const refused = await withoutRead();
    const on = new KafkaTriggers({
      cluster: { ...rarely, bootstrapServers: [...kafka().cluster.bootstrap.plain] },
    });
    const subjects: Record<string, Quiet> = {
      plain: await quietOn(on),
      compressed: await quietOn(on, { config: { 'compression.type': 'zstd' } }),
      wide: await quietOn(on, { partitions: 40 }),
      transactional: await quietOn(on, {}, { isolationLevel: 'readCommitted' }),
      doomed: await quietOn(on),
    };
    await on.comesToRest();
    return { on, subjects, refused };
  }

  async function quietOn(
    on: KafkaTriggers,
    options: { partitions?: number; config?: Record<string, string> } = {},
    metadata: Record<string, string> = {},
  ): Promise<Quiet> {
    const topic = await kafka().createTopic(options);
    const consumerGroup = kafka().name('group');
    await kafka().produce(topic, 1, { partition: 0 });
    const commits = Array.from({ length: options.partitions ?? 1 }, (_, partition) => [
      partition,
      partition === 0 ? 1 : 0,
    ]);
    await kafka().commit(consumerGroup, topic, Object.fromEntries(commits));
    const trigger = { topic, consumerGroup, maxStalenessSeconds: day, ...metadata };
    // Right after a topic is created, a broker may not know it yet.
    await on.becomes(trigger, 0);
    return { topic, consumerGroup, trigger, told: on.follow(trigger) };
  }

  /** Two subjects of one topic, for a user who may describe it but not read it. */
  async function withoutRead() {
    const topic = await kafka().createTopic();
    await grant(kafka(), { user: 'reader', operation: 'describe', kind: 'topic', name: topic });
    await grant(kafka(), { user: 'reader', operation: 'describe', kind: 'group', name: '*' });
    const on = new KafkaTriggers({
      cluster: {
        ...rarely,
        bootstrapServers: [...kafka().cluster.bootstrap.sasl],
        sasl: { mechanism: 'scram-sha-256', username: 'reader', password: 'a-password' },
      },
    });
    const triggers = [kafka().name('group'), kafka().name('group')].map((consumerGroup) => ({
      topic,
      consumerGroup,
      offsetResetPolicy: 'earliest',
      maxStalenessSeconds: day,
    }));
    for (const trigger of triggers) await on.becomes(trigger, 0);
    return { on, topic, triggers };
  }

  const seesEdge = ({ told }: Quiet) =>
    expect.poll(() => told.at(-1), { timeout: 30_000, interval: 5 }).toEqual({ active: true, edge: true });

  it.each(['plain', 'compressed', 'wide'])(
    'is woken by a record: %s',
    async (kind) => {
      const { on, subjects } = await quiet();
      const subject = subjects[kind];
      if (!subject) throw new Error(kind);
      const [reads, wakes] = [await on.reads(), await on.wakes('record')];
      const partition = kind === 'wide' ? 37 : 0;
      await kafka().produce(subject.topic, 3, { partition, bytes: 10_000 });
      await seesEdge(subject);
      expect(subject.told.map(({ active }) => active)).toEqual([false, true]);
      expect(await on.value(subject.trigger)).toBe(3);
      expect(await on.wakes('record')).toBe(wakes + 1);
      expect(await on.reads()).toBeGreaterThan(reads);
    },
    quietLimitMs * 1.5,
  );

  it(
    'is woken when a transaction commits, not when it writes',
    async () => {
      const { on, subjects } = await quiet();
      const { transactional: subject } = subjects;
      if (!subject) throw new Error('transactional');
      const producer = kafka().client.producer({
        transactionalId: kafka().name('transaction'),
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic: subject.topic, messages: [{ value: 'a' }, { value: 'b' }] });
      const confirmed = on.status(subject.trigger)?.ageMs ?? 0;
      // The watch answers again, with the transaction still open.
      await expect
        .poll(() => on.status(subject.trigger)?.ageMs ?? confirmed, { timeout: 30_000 })
        .toBeLessThan(confirmed);
      expect(subject.told).toEqual([{ active: false, edge: false }]);
      await transaction.commit();
      await seesEdge(subject);
      // Two records, and the marker of the transaction.
      expect(await on.value(subject.trigger)).toBe(3);
      await producer.disconnect();
    },
    quietLimitMs * 1.5,
  );

  it(
    'says when its topic is deleted, and is woken when it is made again',
    async () => {
      const { on, subjects } = await quiet();
      const { doomed: subject } = subjects;
      if (!subject) throw new Error('doomed');
      await kafka().admin.deleteTopics({ topics: [subject.topic] });
      await expect
        .poll(() => on.status(subject.trigger)?.error, { timeout: 30_000, interval: 25 })
        .toMatch(new RegExp(`topic "${subject.topic}": .*does not exist`));
      await kafka().createTopic({ name: subject.topic });
      await kafka().produce(subject.topic, 1, { partition: 0 });
      await seesEdge(subject);
    },
    quietLimitMs * 1.5,
  );

  it(
    'is watched again after it was woken',
    async () => {
      const { on, subjects } = await quiet();
      const again = [subjects['plain'], subjects['wide']].filter((subject) => subject !== undefined);
      for (const { topic, consumerGroup, trigger } of again) {
        const ends = await kafka().admin.fetchTopicOffsets(topic);
        await kafka().commit(
          consumerGroup,
          topic,
          Object.fromEntries(ends.map(({ partition, high }) => [partition, Number(high)])),
        );
        await on.becomes(trigger, 0);
      }
      for (const name of ['compressed', 'transactional', 'doomed']) {
        const subject = subjects[name];
        if (!subject) continue;
        const { topic, consumerGroup, trigger } = subject;
        await kafka().commit(consumerGroup, topic, { 0: 1000 });
        await on.becomes(trigger, 0);
      }
      await on.comesToRest();
      for (const subject of again) {
        await kafka().produce(subject.topic, 1, { partition: 0 });
        await seesEdge(subject);
        expect(await on.value(subject.trigger)).toBe(1);
      }
    },
    quietLimitMs * 2,
  );

  it(
    'is read on where we may not READ its topic, which is said once',
    async () => {
      const { on, topic, triggers } = (await quiet()).refused;
      const said = () => on.log.lines.filter(({ message }) => message.includes('no READ right'));
      await expect.poll(said, { timeout: quietLimitMs }).toHaveLength(1);
      expect(said()[0]).toMatchObject({
        level: 'warn',
        message: expect.stringMatching(new RegExp(`topic ${topic}: .*grant READ on the topic`)),
      });
      await kafka().produce(topic, 2);
      for (const trigger of triggers) await on.becomes(trigger, 2);
      expect(said()).toHaveLength(1);
    },
    quietLimitMs * 1.5,
  );
});

describe('a subject that has just come to rest', () => {
  const kafka = useKafka({ heapMiB: 256 });

  it('is woken by its next record, however soon that comes, and does not wait for the clock', async () => {
    const on = openKafka({ activeReadMs: 3000, bootstrapServers: [...kafka().cluster.bootstrap.plain] });
    const [topic, bystander] = [await kafka().createTopic(), await kafka().createTopic()];
    const consumerGroup = kafka().name('group');
    const trigger = { topic, consumerGroup, maxStalenessSeconds: day };
    await kafka().commit(consumerGroup, topic, { 0: 0 });
    await kafka().commit(consumerGroup, bystander, { 0: 0 });
    // Another subject is at rest all the time, so that the broker always holds a poll.
    expect(await on.value({ ...trigger, topic: bystander })).toBe(0);
    expect(await on.value(trigger)).toBe(0);
    const told = on.follow(trigger);
    for (let record = 1; record <= 6; record += 1) {
      const wakes = await on.wakes('record');
      await kafka().produce(topic, 1, { partition: 0 });
      await expect.poll(() => told.at(-1), { timeout: 10_000 }).toEqual({ active: true, edge: true });
      expect(await on.wakes('record')).toBe(wakes + 1);
      await kafka().commit(consumerGroup, topic, { 0: record });
      await on.becomes(trigger, 0);
    }
  }, 60_000);

  it('but gets and handles records all the time is read by the clock, and not woken', async () => {
    const activeReadMs = 200;
    const on = openKafka({
      activeReadMs,
      reconcileSeconds: 3600,
      bootstrapServers: [...kafka().cluster.bootstrap.plain],
    });
    const topic = await kafka().createTopic();
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 0 });
    const trigger = { topic, consumerGroup, activationLagThreshold: '1000', maxStalenessSeconds: day };
    expect(await on.value(trigger)).toBe(0);

    const traffic = async (records: number) => {
      for (let record = 0; record < records; record += 1) {
        await kafka().produce(topic, 1, { partition: 0 });
        await sleep(20);
      }
    };
    await traffic(250);
    const [reads, wakes, fetches, fromMs] = [
      await on.reads(),
      await on.wakes('record'),
      await on.requests('Fetch'),
      performance.now(),
    ];
    expect(wakes).toBeGreaterThan(0);
    await traffic(100);
    const tookMs = performance.now() - fromMs;
    expect((await on.reads()) - reads).toBeLessThanOrEqual(tookMs / activeReadMs + 1);
    expect(await on.wakes('record')).toBe(wakes);
    expect((await on.requests('Fetch')) - fetches).toBeLessThanOrEqual(2);
  }, 60_000);
});
