import { describe, expect, it, onTestFinished } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';
import { brokerKinds, CappingProxy } from '../../support/kafka/capping-proxy.ts';
import { openKafka } from '../../support/kafka/kafka-triggers.ts';

const day = String(24 * 3600);

/** As when a firewall or a load balancer forgets an idle connection: no end, no reset, nothing. */
describe('connections that die silently', () => {
  const kafka = useKafka({ heapMiB: 256 });

  async function behindProxy(settings: object) {
    const proxy = await CappingProxy.to(kafka().cluster.broker(1).node.ports.plain, brokerKinds['Kafka 4.0']);
    onTestFinished(() => proxy.close());
    const on = openKafka({ bootstrapServers: [proxy.address], ...settings });
    const topic = await kafka().createTopic();
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 0 });
    const trigger = { topic, consumerGroup, maxStalenessSeconds: day };
    await on.becomes(trigger, 0);
    return { proxy, on, topic, trigger };
  }

  it('hide no record from a quiet subject: its watch continues on another one', async () => {
    // Nothing is read by the clock, so any change was seen by the watch.
    const rarely = { reconcileSeconds: 3600, activeReadMs: 200, watchMaxWaitMs: 2000 };
    const { proxy, on, topic, trigger } = await behindProxy(rarely);
    await on.comesToRest();
    const told = on.follow(trigger);
    proxy.freeze();
    await kafka().produce(topic, 3);
    await expect.poll(() => told.at(-1), { timeout: 60_000 }).toEqual({ active: true, edge: true });
    expect(await on.value(trigger)).toBe(3);
    expect([await on.wakes('record'), await on.wakes('watch lost'), await on.reads('error')]).toEqual([
      1, 0, 0,
    ]);
    expect(on.log.lines.filter(({ message }) => /died silently/.test(message))).toHaveLength(1);
  });

  it('fail no read: it is repeated, on another one', async () => {
    const { proxy, on, topic, trigger } = await behindProxy({ activeReadMs: 200, reconcileSeconds: 1 });
    await kafka().produce(topic, 2);
    await on.becomes(trigger, 2);
    const connections = proxy.connections;
    proxy.freeze();
    await kafka().produce(topic, 3);
    await on.becomes(trigger, 5);
    expect(await on.reads('error')).toBe(0);
    expect(proxy.connections).toBeGreaterThan(connections);
  });
});
