import { describe, expect, it, onTestFinished } from 'vitest';
import { useKafka } from '../support/kafka/broker.ts';
import { openKafka } from '../support/kafka/kafka-triggers.ts';
import { JetStreamUser } from '../support/nats/jetstream.ts';
import { openNats } from '../support/nats/nats-triggers.ts';
import { useNats } from '../support/nats/server.ts';
import { useKeda } from './use-keda.ts';

describe('statements of docs/migrate.md about KEDA', () => {
  const kafka = useKafka({ heapMiB: 256 });
  const startKeda = useKeda();

  it.each(['kafka', 'apache-kafka'] as const)(
    '%s counts as we do what is in a log that nobody has committed in',
    async (type) => {
      const topic = await kafka().createTopic();
      await kafka().produce(topic, 20);
      await kafka().admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '8' }] });
      const bootstrapServers = kafka().cluster.bootstrap.plain;
      const consumerGroup = kafka().name('group');
      // apache-kafka must have seen the group.
      await kafka().commit(consumerGroup, await kafka().createTopic(), { 0: 0 });
      const asked = { consumerGroup, topic, offsetResetPolicy: 'earliest', allowIdleConsumers: 'true' };
      const keda = startKeda();
      await keda.open('a', { type, metadata: { ...asked, bootstrapServers: bootstrapServers.join(',') } });
      const [spec] = await keda.spec('a');
      const theirs = await keda.metrics('a', spec?.name ?? '');
      expect(theirs.values.map(({ value }) => value)).toEqual([12]);
      expect(await openKafka({ bootstrapServers: [...bootstrapServers] }).value(asked)).toBe(12);
    },
  );
});

describe('statements of docs/nats.md about KEDA', () => {
  const nats = useNats();
  const startKeda = useKeda();
  const missing = { stream: 'orders', consumer: 'nobody' };

  it('nats-jetstream counts as we do, and has no number either for a missing consumer', async () => {
    const [server] = nats().servers;
    const user = await JetStreamUser.connect(nats().urls);
    onTestFinished(() => user.close());
    const trigger = await user.stream({ name: 'orders' });
    await user.publish('orders.a', 7);
    await user.take(trigger, 3, 1);
    const keda = startKeda();
    const natsServerMonitoringEndpoint = server?.monitoring.replace('http://', '') ?? '';
    const asKeda = async (name: string, of: object) => {
      const metadata = { account: '$G', natsServerMonitoringEndpoint, ...of };
      await keda.open(name, { type: 'nats-jetstream', metadata });
      return keda.metrics(name, 's0-nats-jetstream-orders');
    };
    const theirs = await asKeda('a', trigger);
    expect(theirs.values.map(({ value }) => value)).toEqual([6]);
    const ours = openNats({ servers: [...nats().urls] });
    await ours.becomes(trigger, 6);
    await expect(asKeda('b', missing)).rejects.toThrow('not found in stream');
    await ours.refuses(missing, /^not_found/);
  });
});

describe('statements of docs/keda.md about polls', () => {
  const startKeda = useKeda();
  const plain = [{ type: 'external-push', metadata: {} }];
  const cached = [{ type: 'external-push', metadata: {}, useCachedMetrics: true }];
  const advanced = { scalingModifiers: { formula: 'a', target: '1' } };

  it.each([
    [true, 'without minReplicaCount', { triggers: plain }],
    [true, 'with minReplicaCount 0', { minReplicaCount: 0, triggers: plain }],
    [false, 'with minReplicaCount 1', { minReplicaCount: 1, triggers: plain }],
    [true, 'with idleReplicaCount', { minReplicaCount: 1, idleReplicaCount: 0, triggers: plain }],
    [true, 'with useCachedMetrics', { minReplicaCount: 1, triggers: cached }],
    [true, 'with scalingModifiers', { minReplicaCount: 1, triggers: plain, advanced }],
  ])('KEDA polls at pollingInterval: %s, %s', async (polls, _, spec) => {
    expect(await startKeda().polls(spec)).toBe(polls);
  });
});
