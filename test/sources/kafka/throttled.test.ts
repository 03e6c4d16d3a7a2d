import { describe, expect, it, onTestFinished } from 'vitest';
import { Api } from '../../../src/sources/kafka/upstream/protocol/api.ts';
import { createDialer } from '../../../src/sources/kafka/upstream/wire/dialer.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { useKafka } from '../../support/kafka/broker.ts';
import { openKafka } from '../../support/kafka/kafka-triggers.ts';

/** Our client ID at brokers. */
const clientId = 'backlog-scaler';

/** Sets a quota for a client ID: AlterClientQuotas v0 (KIP-546). */
const alterClientQuotas = new Api<
  { key: string; value: number },
  { throttleTimeMs: number; errorCode: number }
>(
  { apiKey: 49, apiName: 'AlterClientQuotas', since: '2.6' },
  {
    0: {
      write(to, { key, value }) {
        const double = Buffer.alloc(8);
        double.writeDoubleBE(value);
        to.array(['client-id'], (entry, type) => {
          entry.array([type], (entity) => entity.string(type).string(clientId));
          entry.array([key], (operation) => {
            operation.string(key).int32(double.readInt32BE(0)).int32(double.readInt32BE(4)).boolean(false);
          });
        });
        to.boolean(false);
      },
      read: (from) => ({
        throttleTimeMs: from.int32(),
        errorCode: from.array((entry) => entry.int16())[0] ?? -1,
      }),
    },
  },
);

describe('a broker with a quota for us', () => {
  const kafka = useKafka({ heapMiB: 256 });

  async function setQuota(key: string, value: number): Promise<void> {
    const metrics = { request() {} };
    const security = { tls: false } as const;
    const dialer = createDialer({
      clientId: 'admin',
      security,
      connectTimeoutMs: 10_000,
      log: silentLogger,
      metrics,
    });
    const wire = await dialer.dial(kafka().cluster.bootstrap.plain[0] ?? '');
    onTestFinished(() => wire.close());
    const { errorCode } = await wire.send(alterClientQuotas.request({ key, value }), 10_000);
    expect(errorCode).toBe(0);
  }

  it('is obeyed and named once, and quiet subjects are still watched', async () => {
    await setQuota('request_percentage', 0.01);
    const on = openKafka({
      bootstrapServers: [...kafka().cluster.bootstrap.plain],
      activeReadMs: 500,
      reconcileSeconds: 3600,
    });
    const topic = await kafka().createTopic();
    const trigger = { topic, consumerGroup: kafka().name('group'), maxStalenessSeconds: '86400' };
    await kafka().commit(trigger.consumerGroup, topic, { 0: 0 });
    await on.becomes(trigger, 0, 60_000);
    const told = on.follow(trigger);
    const said = (pattern: RegExp) => on.log.lines.filter(({ message }) => pattern.test(message));
    await expect
      .poll(() => said(/throttles the scaler for \d+ ms, by a quota/), { timeout: 60_000 })
      .toHaveLength(1);
    // Its watch was requested while the broker throttles.
    await expect.poll(() => on.requests('Fetch'), { timeout: 60_000 }).toBeGreaterThan(1);
    await setQuota('request_percentage', 1000);
    await on.comesToRest();
    await kafka().produce(topic, 2);
    await expect.poll(() => told.at(-1), { timeout: 60_000 }).toEqual({ active: true, edge: true });
    expect(await on.wakes('record')).toBe(1);
    expect(said(/throttles the scaler/)).toHaveLength(1);
    expect(said(/fetch session/)).toEqual([]);
    expect(await on.reads('error')).toBe(0);
  });
});
