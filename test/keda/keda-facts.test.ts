import { describe, expect, it } from 'vitest';
import { useKafka } from '../support/kafka/broker.ts';
import { openKafka } from '../support/kafka/kafka-triggers.ts';
import { useKeda } from './use-keda.ts';

describe('what docs/migrate.md says of KEDA', () => {
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
      // apache-kafka wants to have seen the group.
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

describe('what docs/keda.md says of polls', () => {
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
  ])('KEDA asks at pollingInterval: %s, %s', async (polls, _, spec) => {
    expect(await startKeda().polls(spec)).toBe(polls);
  });
});
