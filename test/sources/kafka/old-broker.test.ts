import { describe, expect, it, onTestFinished } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';
import { CappingProxy } from '../../support/kafka/capping-proxy.ts';
import { needOf, openConnection } from '../../support/kafka/kafka-connection.ts';
import { openKafka } from '../../support/kafka/kafka-triggers.ts';

describe('a broker older than Kafka 3.0', () => {
  const kafka = useKafka({ heapMiB: 256 });

  it('is asked for one group at a time', async () => {
    const proxy = await CappingProxy.to(kafka().cluster.broker(1).node.ports.plain);
    onTestFinished(() => proxy.close());
    const on = openKafka({ bootstrapServers: [proxy.address], reconcileSeconds: 3600 });
    const topic = await kafka().createTopic({ partitions: 2 });
    await kafka().produce(topic, 10, { partition: 0 });
    const groups = Array.from({ length: 5 }, () => kafka().name('group'));
    await Promise.all(groups.map((group, at) => kafka().commit(group, topic, { 0: at, 1: 0 })));
    const triggers = groups.map((consumerGroup) => ({ topic, consumerGroup, maxStalenessSeconds: '86400' }));

    const numbers = await Promise.all(triggers.map((trigger) => on.value(trigger)));
    expect(numbers).toEqual([10, 9, 8, 7, 6]);
    const committed = { consumerGroup: groups[0] ?? '', maxStalenessSeconds: '86400' };
    expect(await on.value(committed)).toBe(10);
    expect(await on.value({ topic, consumerGroup: kafka().name('nobody') })).toBe(2);

    await Promise.all(groups.map((group) => kafka().commit(group, topic, { 0: 10 })));
    for (const trigger of [...triggers, committed]) await on.becomes(trigger, 0);
    expect(proxy.tooNew).toEqual([]);
    // The Fetch of a watch may have gone out already: what has come to 0 is watched at once.
    expect(new Set([...proxy.requests, '1 v11'])).toEqual(
      new Set(['18 v2', '3 v6', '10 v2', '2 v3', '9 v4', '1 v11']),
    );
  });

  it('is watched, too', async () => {
    const proxy = await CappingProxy.to(kafka().cluster.broker(1).node.ports.plain);
    onTestFinished(() => proxy.close());
    const on = openConnection({ bootstrapServers: [proxy.address] });
    const topic = await kafka().createTopic();
    const need = needOf(kafka().name('group'), topic);
    const { watch, wakes } = on.arm(need, await on.read(need));
    await expect.poll(() => watch.state).toBe('armed');
    await kafka().produce(topic, 1);
    await expect.poll(() => wakes, { timeout: 30_000, interval: 5 }).toEqual(['record']);
    expect(proxy.tooNew).toEqual([]);
    expect(proxy.requests).toContain('1 v11');
  });
});
