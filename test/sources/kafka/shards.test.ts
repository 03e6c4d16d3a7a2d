import { describe, expect, it } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';
import { needOf, openConnection } from '../../support/kafka/kafka-connection.ts';

const partitions = 1200;

describe('a connection to a real broker', () => {
  const kafka = useKafka({ heapMiB: 256 });

  it('watches 1,200 partitions in two sessions, and loses no record between a snapshot and its watch', async () => {
    const topic = await kafka().createTopic({ partitions });
    const on = openConnection({ bootstrapServers: [...kafka().cluster.bootstrap.plain] });
    const need = needOf(kafka().name('group'), topic);

    for (const partition of [3, partitions - 1]) {
      const snapshot = await on.read(need);
      const before = on.arm(need, snapshot);
      await expect.poll(() => before.watch.state, { timeout: 30_000 }).toBe('armed');
      await kafka().produce(topic, 1, { partition });
      await expect.poll(() => before.wakes, { timeout: 30_000, interval: 5 }).toEqual(['record']);
      expect(before.watch.state).toBe('refused');
      // Still the old snapshot. The record has come since.
      const after = on.arm(need, snapshot);
      await expect.poll(() => after.wakes, { timeout: 30_000, interval: 5 }).toEqual(['record']);
    }
    // Reads, two sessions, and at most four spare ones.
    expect(on.dials).toBeLessThanOrEqual(1 + 2 + 4);
  });
});
