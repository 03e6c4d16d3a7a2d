import { describe, expect, it } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';
import { coordinatorOf, groupAt } from '../../support/kafka/coordinator.ts';
import { type KafkaTriggers, openKafka } from '../../support/kafka/kafka-triggers.ts';

const nodes = [1, 2, 3];
const partitions = [0, 1, 2];
const failoverMs = 45_000;

describe('three brokers', () => {
  // Leaders return to their preferred broker as soon as it is back, not after five minutes.
  const properties = {
    'leader.imbalance.check.interval.seconds': '1',
    'leader.imbalance.per.broker.percentage': '0',
  };
  const kafka = useKafka({ heapMiB: 256, brokers: 3, properties });
  const open = (more = {}): KafkaTriggers =>
    openKafka({
      bootstrapServers: [...kafka().cluster.bootstrap.plain],
      activeReadMs: 200,
      requestTimeoutMs: 3000,
      connectTimeoutMs: 2000,
      reconcileSeconds: 5,
      ...more,
    });

  const replicated = (first: readonly number[]): Promise<string> =>
    kafka().createTopic({
      assignment: first.map((leader) => [leader, ...nodes.filter((node) => node !== leader)]),
      config: { 'min.insync.replicas': '2' },
    });

  /** Resolves when every broker is back, has all its replicas, and leads its partitions. */
  async function whole(...topics: string[]): Promise<void> {
    const complete = async () => {
      const { topics: found } = await kafka().admin.fetchTopicMetadata({
        topics: [...topics, '__consumer_offsets'],
      });
      return found
        .flatMap((topic) => topic.partitions)
        .every(({ isr, replicas, leader }) => isr.length === replicas.length && leader === replicas[0]);
    };
    await expect.poll(complete, { timeout: failoverMs, interval: 200 }).toBe(true);
  }

  /** Resolves when the trigger is read again, without help. */
  const isRead = (on: KafkaTriggers, trigger: Record<string, string>, sinceMs: number) =>
    expect
      .poll(
        () => {
          const { ageMs, error } = on.status(trigger) ?? {};
          return error === undefined && ageMs !== undefined && performance.now() - ageMs > sinceMs;
        },
        { timeout: failoverMs, interval: 50 },
      )
      .toBe(true);

  it('a broker that is killed: no wrong number, and reads and the watch continue at the new leaders', async () => {
    // Nothing at rest is read by the clock, and leaders are never looked up by it.
    const [on, sleeper] = [open({ reconcileSeconds: 3600 }), open({ reconcileSeconds: 3600 })];
    const [busy, quiet] = [await replicated(nodes), await replicated(nodes)];
    const groups = await Promise.all(nodes.map((node) => groupAt(kafka(), node)));
    const triggers = groups.map((consumerGroup) => ({ topic: busy, consumerGroup, lagThreshold: '1000' }));
    for (const partition of partitions) await kafka().produce(busy, 10, { partition });
    for (const group of groups) await kafka().commit(group, busy, { 0: 1, 1: 2, 2: 3 });
    for (const trigger of triggers) await on.becomes(trigger, 24);
    const atRest = { topic: quiet, consumerGroup: groups[0] ?? '', maxStalenessSeconds: '86400' };
    await kafka().commit(atRest.consumerGroup, quiet, { 0: 0, 1: 0, 2: 0 });
    await sleeper.becomes(atRest, 0);
    const told = sleeper.follow(atRest);
    const seen = new Set<number>();
    const sampler = setInterval(() => {
      for (const trigger of triggers) void on.value(trigger).then((value) => seen.add(value));
    }, 50);
    await sleeper.comesToRest();

    // The first of the bootstrap servers. It leads a partition of each topic, and keeps a group's commits.
    const killedAtMs = performance.now();
    await kafka().cluster.broker(1).kill();
    for (const trigger of triggers) await isRead(on, trigger, killedAtMs);
    await isRead(sleeper, atRest, killedAtMs);
    expect(await kafka().leaders(busy)).not.toMatchObject({ 0: 1 });
    await kafka().cluster.restart(1);
    await whole(busy, quiet);
    clearInterval(sampler);
    expect([...seen]).toEqual([24]);
    expect(told).toEqual([{ active: false, edge: false }]);

    await sleeper.comesToRest();
    const wakes = await sleeper.wakes('record');
    await kafka().produce(quiet, 1, { partition: 1 });
    await expect
      .poll(() => told.at(-1), { timeout: 30_000, interval: 5 })
      .toEqual({ active: true, edge: true });
    expect(await sleeper.wakes('record')).toBe(wakes + 1);
  }, 180_000);

  it('a broker that hangs after accept: others do not wait for it, and it is read again when it continues', async () => {
    const on = open();
    const alone = async (node: number) => {
      const topic = await kafka().createTopic({ assignment: [[node]] });
      return {
        topic,
        consumerGroup: await groupAt(kafka(), node === 2 ? 3 : node),
        offsetResetPolicy: 'earliest',
      };
    };
    const [hanging, other, moving] = [
      await alone(2),
      await alone(1),
      {
        topic: await replicated([2]),
        consumerGroup: await groupAt(kafka(), 2),
        offsetResetPolicy: 'earliest',
      },
    ];
    for (const trigger of [hanging, other, moving]) {
      await kafka().produce(trigger.topic, 3, { partition: 0 });
      await on.becomes(trigger, 3);
    }
    const broker = kafka().cluster.broker(2);
    const stoppedAtMs = performance.now();
    broker.signal('SIGSTOP');
    try {
      await kafka().produce(other.topic, 2, { partition: 0 });
      await on.becomes(other, 5);
      // The next read of the hanging one ends at the request's timeout, which names the broker.
      await expect
        .poll(() => on.status(hanging)?.error, { timeout: failoverMs, interval: 5 })
        .toMatch(new RegExp(`partition 0: .*127.0.0.1:${broker.node.ports.plain} does not answer`));
      expect(await on.value(hanging)).toBe(3);
      await kafka().produce(other.topic, 2, { partition: 0 });
      await on.becomes(other, 7);
      // Its group and its leader move to healthy brokers.
      await isRead(on, moving, stoppedAtMs + 4000);
      expect(await coordinatorOf(kafka(), moving.consumerGroup)).not.toBe(2);
      // A new trigger waits for the broker no longer than for a cold read.
      expect(await open().value(other)).toBe(7);
    } finally {
      broker.signal('SIGCONT');
    }
    await isRead(on, hanging, performance.now());
    await kafka().produce(hanging.topic, 1, { partition: 0 });
    await on.becomes(hanging, 4);
    await whole(moving.topic);
  }, 120_000);

  it('all brokers down: holds the last good number, then is UNAVAILABLE; all come back by themselves', async () => {
    const topic = await replicated(nodes);
    const trigger = {
      topic,
      consumerGroup: kafka().name('group'),
      offsetResetPolicy: 'earliest',
      maxStalenessSeconds: '6',
    };
    const later = open();
    await kafka().produce(topic, 5, { partition: 0 });
    expect(await later.value(trigger)).toBe(5);
    await Promise.all(kafka().cluster.brokers.map((broker) => broker.kill()));
    expect(await later.value(trigger)).toBe(5);
    await expect
      .poll(() => later.status(trigger)?.error, { timeout: 30_000, interval: 10 })
      .toMatch(/refuses the connection/);
    expect(await later.value(trigger)).toBe(5);
    await later.refuses(
      trigger,
      /^unavailable: .*the last good reading is \d+ s old, more than maxStalenessSeconds \(6\)/,
    );

    const atStart = open();
    const refusal = await atStart.refusal(trigger);
    expect(refusal).toMatch(
      /^unavailable: .*nothing has been read yet: kafka connection "cluster": no broker answers/,
    );
    for (const server of kafka().cluster.bootstrap.plain)
      expect(refusal).toContain(`broker ${server} refuses`);

    await Promise.all(nodes.map((node) => kafka().cluster.restart(node)));
    await atStart.becomes(trigger, 5, failoverMs);
    await later.becomes(trigger, 5, failoverMs);
    await kafka().produce(topic, 1, { partition: 0 });
    await Promise.all([atStart.becomes(trigger, 6), later.becomes(trigger, 6)]);
  }, 120_000);
});
