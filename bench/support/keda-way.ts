import { findCoordinator } from '../../src/sources/kafka/upstream/protocol/find-coordinator.ts';
import { listOffsets } from '../../src/sources/kafka/upstream/protocol/list-offsets.ts';
import { metadata } from '../../src/sources/kafka/upstream/protocol/metadata.ts';
import { offsetFetch } from '../../src/sources/kafka/upstream/protocol/offset-fetch.ts';
import { createDialer } from '../../src/sources/kafka/upstream/wire/dialer.ts';
import type { Wire } from '../../src/sources/kafka/upstream/wire/wire.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { inParallel } from './in-parallel.ts';
import { poll } from './keda-pace.ts';
import { groupOf } from './scaled-object.ts';

/*
 * The requests of KEDA's built-in `kafka` trigger (pkg/scalers/kafka_scaler.go, v2.21, over sarama), with our own
 * codecs. Each ScaledObject has a client with a connection to a bootstrap server and one to the broker. Each evaluation
 * sends Metadata, OffsetFetch and ListOffsets. A real KEDA sent 120 requests a minute for 20 idle triggers and 357 for
 * 20 active ones, over about 41 connections. For one broker. A program of its own.
 */

const requestTimeoutMs = 10_000;
const [bootstrapServer = '', stem = '', scaledObjects = '0', partitionCount = '0'] = process.argv.slice(2);
const partitions = Array.from({ length: Number(partitionCount) }, (_, partition) => partition);
const dialer = createDialer({
  clientId: 'keda',
  security: { tls: false },
  connectTimeoutMs: 10_000,
  log: silentLogger,
  metrics: { request() {} },
});

/** The state that KEDA keeps for a ScaledObject. */
class Client {
  private readonly topic: string;
  private readonly seed: Wire;
  private readonly broker: Wire;

  static async open(topic: string): Promise<Client> {
    const [seed, broker] = await Promise.all([dialer.dial(bootstrapServer), dialer.dial(bootstrapServer)]);
    await seed.send(findCoordinator({ group: groupOf(topic) }), requestTimeoutMs);
    return new Client(topic, seed, broker);
  }

  private constructor(topic: string, seed: Wire, broker: Wire) {
    this.topic = topic;
    this.seed = seed;
    this.broker = broker;
  }

  async evaluate(): Promise<void> {
    const topics = new Map([[this.topic, partitions]]);
    await this.seed.send(metadata({ topics: [this.topic] }), requestTimeoutMs);
    await Promise.all([
      this.broker.send(offsetFetch({ groups: [{ group: groupOf(this.topic), topics }] }), requestTimeoutMs),
      this.broker.send(
        listOffsets({ topics, timestamp: 'end', isolationLevel: 'readUncommitted' }),
        requestTimeoutMs,
      ),
    ]);
  }
}

const clients: Client[] = [];
const topics = Array.from({ length: Number(scaledObjects) }, (_, index) => `${stem}-${index}`);
await inParallel(16, topics, async (topic) => {
  const client = await Client.open(topic);
  await client.evaluate();
  clients.push(client);
});
await poll(clients);
