import { describe, expect, it, onTestFinished } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';
import { type BrokerKind, brokerKinds, CappingProxy } from '../../support/kafka/capping-proxy.ts';
import { needOf, openConnection } from '../../support/kafka/kafka-connection.ts';
import { openKafka } from '../../support/kafka/kafka-triggers.ts';

/** The requests to each: Metadata, ListOffsets, OffsetFetch, FindCoordinator, and Fetch if it is watched. */
const spoken: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'Azure Event Hubs, 2019': ['18 v2', '3 v5', '2 v2', '9 v3', '10 v1'],
    'Azure Event Hubs, 2024': ['18 v2', '3 v5', '2 v3', '9 v8', '10 v4'],
    Redpanda: ['18 v2', '3 v6', '2 v3', '9 v4', '10 v2', '1 v11'],
    'Kafka 0.11': ['18 v2', '18 v0', '3 v4', '2 v2', '9 v3', '10 v1'],
    'Kafka 2.3': ['18 v2', '3 v6', '2 v3', '9 v4', '10 v2', '1 v11'],
    'Kafka 2.8': ['18 v2', '3 v6', '2 v3', '9 v4', '10 v2', '1 v11'],
    'Kafka 3.5': ['18 v2', '3 v6', '2 v3', '9 v8', '10 v4', '1 v11'],
    'Kafka 4.0': ['18 v2', '3 v6', '2 v3', '9 v8', '10 v4', '1 v11'],
  }),
);

/** The real broker behind a proxy that behaves like another kind of broker. */
describe('a broker', () => {
  const kafka = useKafka({ heapMiB: 256 });

  describe.each(Object.entries(brokerKinds))('with the versions of %s', (name, kind: BrokerKind) => {
    const isWatched = kind.fetch[1] >= 7;

    async function proxied(): Promise<CappingProxy> {
      const proxy = await CappingProxy.to(kafka().cluster.broker(1).node.ports.plain, kind);
      onTestFinished(() => proxy.close());
      return proxy;
    }

    it('is read in the highest versions that both know, and gets no other request', async () => {
      const proxy = await proxied();
      const on = openKafka({ bootstrapServers: [proxy.address] });
      const topic = await kafka().createTopic({ partitions: 2 });
      await kafka().produce(topic, 10, { partition: 0 });
      const groups = Array.from({ length: 5 }, () => kafka().name('group'));
      await Promise.all(groups.map((group, at) => kafka().commit(group, topic, { 0: at, 1: 0 })));
      const triggers = groups.map((consumerGroup) => ({
        topic,
        consumerGroup,
        maxStalenessSeconds: '86400',
      }));

      const numbers = await Promise.all(triggers.map((trigger) => on.value(trigger)));
      expect(numbers).toEqual([10, 9, 8, 7, 6]);
      const committed = { consumerGroup: groups[0] ?? '', maxStalenessSeconds: '86400' };
      expect(await on.value(committed)).toBe(10);
      expect(await on.value({ topic, consumerGroup: kafka().name('nobody') })).toBe(2);
      const pattern = { topicPattern: `${topic.slice(0, -1)}*`, consumerGroup: groups[1] ?? '' };
      expect(await on.value({ ...pattern, isolationLevel: 'readCommitted' })).toBe(9);

      await Promise.all(groups.map((group) => kafka().commit(group, topic, { 0: 10 })));
      for (const trigger of [...triggers, committed]) await on.becomes(trigger, 0);
      await kafka().produce(topic, 3, { partition: 1 });
      for (const trigger of triggers) await on.becomes(trigger, 3);
      expect(proxy.notTaken).toEqual([]);
      // A topic that reached 0 is watched at once. The Fetch may have gone out or not.
      const asked = new Set([...proxy.requests, ...(isWatched ? ['1 v11'] : [])]);
      expect(asked).toEqual(new Set(spoken.get(name)));
    });

    const watched = async (): Promise<void> => {
      const proxy = await proxied();
      const on = openConnection({ bootstrapServers: [proxy.address] });
      const topic = await kafka().createTopic();
      const need = needOf(kafka().name('group'), topic);
      const { watch, wakes } = on.arm(need, await on.read(need));
      await expect.poll(() => watch.state).toBe('armed');
      await kafka().produce(topic, 1);
      await expect.poll(() => wakes, { timeout: 30_000, interval: 5 }).toEqual(['record']);
      expect(proxy.notTaken).toEqual([]);
      expect(proxy.requests).toContain('1 v11');
    };

    const readOn = async (): Promise<void> => {
      const proxy = await proxied();
      const on = openKafka({ bootstrapServers: [proxy.address] });
      const topic = await kafka().createTopic();
      const trigger = { topic, consumerGroup: kafka().name('group') };
      await kafka().commit(trigger.consumerGroup, topic, { 0: 0 });
      await on.becomes(trigger, 0);
      const said = () => on.log.lines.filter(({ message }) => /has no fetch sessions/.test(message));
      await expect.poll(said).toHaveLength(1);
      const [reads, connections] = [await on.reads(), proxy.connections];
      await expect.poll(() => on.reads()).toBeGreaterThan(reads + 60);
      expect(proxy.connections).toBe(connections);
      expect(said()).toHaveLength(1);
      expect(proxy.requests.filter((request) => request.startsWith('1 '))).toEqual([]);
      expect(proxy.notTaken).toEqual([]);
    };

    if (isWatched) it('is watched, too', watched);
    else it('is read on, since it has no fetch sessions: which it is asked once', readOn);
  });
});
