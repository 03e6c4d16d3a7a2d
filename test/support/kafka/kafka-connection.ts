import { onTestFinished } from 'vitest';
import { kafkaConfig } from '../../../src/sources/kafka/config.ts';
import type { KafkaNeed, KafkaSnapshot } from '../../../src/sources/kafka/rules/snapshot.ts';
import { KafkaConnection } from '../../../src/sources/kafka/upstream/connection.ts';
import { createDialer } from '../../../src/sources/kafka/upstream/wire/dialer.ts';
import type { Dialer } from '../../../src/sources/kafka/upstream/wire/wire.ts';
import type { Watch } from '../../../src/sources/source.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import type { KafkaSettings } from './kafka-triggers.ts';

/** A connection on its own, until the end of the test. Subjects are read and watched only when the test does so. */
export function openConnection(settings: KafkaSettings): OpenConnection {
  const opened = new OpenConnection(settings);
  onTestFinished(() => opened.close());
  return opened;
}

export class OpenConnection {
  /** How many sockets were requested. */
  dials = 0;
  private readonly connection: KafkaConnection;

  constructor(settings: KafkaSettings) {
    const inner = createDialer({
      clientId: 'test',
      security: { tls: false },
      connectTimeoutMs: 10_000,
      log: silentLogger,
      metrics: { request() {} },
    });
    const dialer: Dialer = {
      dial: (address) => {
        this.dials += 1;
        return inner.dial(address);
      },
    };
    const config = kafkaConfig.parse(settings);
    this.connection = new KafkaConnection(config, { name: 'cluster', log: silentLogger }, dialer);
  }

  async read(need: KafkaNeed): Promise<KafkaSnapshot> {
    let found: KafkaSnapshot | undefined;
    const take: Parameters<KafkaConnection['read']>[1] = (_, result) => {
      if (!('snapshot' in result)) throw result;
      found = result.snapshot;
    };
    await this.connection.read([{ key: 'subject', needs: [need] }], take, AbortSignal.timeout(20_000));
    if (found === undefined) throw new Error('nothing was delivered');
    return found;
  }

  /** Watches from a snapshot. `wakes` collects the causes. */
  arm(need: KafkaNeed, from: KafkaSnapshot): { watch: Watch; wakes: string[] } {
    const wakes: string[] = [];
    const subject = { key: 'subject', needs: [need] };
    return { watch: this.connection.arm(subject, from, (cause) => wakes.push(cause)), wakes };
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** One topic of a group. */
export function needOf(consumerGroup: string, topic: string): KafkaNeed {
  return { consumerGroup, topics: [topic], topicPattern: '', isolationLevel: 'readUncommitted' };
}
