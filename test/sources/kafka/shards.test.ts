import { afterAll, describe, expect, it } from 'vitest';
import { kafkaConfig } from '../../../src/sources/kafka/config.ts';
import { KafkaConnection } from '../../../src/sources/kafka/connection.ts';
import type { KafkaNeed, KafkaSnapshot } from '../../../src/sources/kafka/snapshot.ts';
import { createDialer } from '../../../src/sources/kafka/wire/dialer.ts';
import type { Dialer } from '../../../src/sources/kafka/wire/wire.ts';
import type { Subject, Watch } from '../../../src/sources/source.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { useKafka } from '../../support/kafka/broker.ts';

const partitions = 1200;

describe('a connection to a real broker', () => {
  const kafka = useKafka({ heapMiB: 256 });
  let connection: KafkaConnection | undefined;
  afterAll(() => connection?.close());

  /** The connection, and how many sockets it has asked for. */
  function connect(): { on: KafkaConnection; dials: () => number } {
    let dials = 0;
    const inner = createDialer({
      clientId: 'test',
      security: { tls: false },
      connectTimeoutMs: 10_000,
      log: silentLogger,
      metrics: { request() {} },
    });
    const dialer: Dialer = {
      dial(address) {
        dials += 1;
        return inner.dial(address);
      },
    };
    const config = kafkaConfig.parse({ bootstrapServers: [...kafka().cluster.bootstrap.plain] });
    const on = new KafkaConnection(config, { name: 'cluster', log: silentLogger }, dialer);
    connection = on;
    return { on, dials: () => dials };
  }

  async function read(on: KafkaConnection, subject: Subject<KafkaNeed>): Promise<KafkaSnapshot> {
    let found: KafkaSnapshot | undefined;
    const take: Parameters<typeof on.read>[1] = (_, result) => {
      if (!('snapshot' in result)) throw result;
      found = result.snapshot;
    };
    await on.read([subject], take, AbortSignal.timeout(20_000));
    if (found === undefined) throw new Error('nothing was delivered');
    return found;
  }

  function arm(on: KafkaConnection, subject: Subject<KafkaNeed>, from: KafkaSnapshot) {
    const wakes: string[] = [];
    const watch: Watch = on.arm(subject, from, (cause) => wakes.push(cause));
    return { watch, wakes };
  }

  it('watches 1,200 partitions in two sessions, and loses no record between a snapshot and its watch', async () => {
    const topic = await kafka().createTopic({ partitions });
    const need: KafkaNeed = {
      consumerGroup: kafka().name('group'),
      topics: [topic],
      topicPattern: '',
      isolationLevel: 'readUncommitted',
    };
    const subject = { key: topic, needs: [need] };
    const { on, dials } = connect();

    for (const partition of [3, partitions - 1]) {
      const snapshot = await read(on, subject);
      const before = arm(on, subject, snapshot);
      await expect.poll(() => before.watch.state, { timeout: 20_000 }).toBe('armed');
      await kafka().produce(topic, 1, { partition });
      await expect.poll(() => before.wakes, { timeout: 20_000, interval: 5 }).toEqual(['record']);
      expect(before.watch.state).toBe('refused');
      // Still the old snapshot: the record has come since.
      const after = arm(on, subject, snapshot);
      await expect.poll(() => after.wakes, { timeout: 20_000, interval: 5 }).toEqual(['record']);
    }
    // Reads, and two sessions.
    expect(dials()).toBe(3);
  }, 60_000);
});
