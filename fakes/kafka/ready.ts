import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { ScalerError } from '../../src/errors.ts';
import '../../src/sources/kafka/upstream/wire/kafkajs-idle-timer.ts';
import { commitOffsets } from './commit-offsets.ts';

const limitMs = 180_000;
const probe = 'broker-is-ready';

/**
 * Resolves when a group's offset can be read back. An open port is not enough. For a while after the start, brokers
 * answer COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR and UNKNOWN_TOPIC_OR_PARTITION. Leaves nothing behind.
 */
export async function groupsWork(bootstrap: readonly string[]): Promise<void> {
  const kafka = new Kafka({
    clientId: 'readiness',
    brokers: [...bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  const deadline = performance.now() + limitMs;
  const attempt = async <T>(
    what: string,
    work: () => Promise<T>,
    good: (result: T) => boolean = () => true,
  ) => {
    for (;;) {
      const failure = await work().then(
        (result) => (good(result) ? undefined : 'not yet'),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (failure === undefined) return;
      if (performance.now() > deadline)
        throw new ScalerError('unavailable', `Kafka did not get ready, ${what}: ${failure}`);
      await sleep(50);
    }
  };
  await attempt('connecting', () => admin.connect());
  try {
    await attempt(
      'all brokers',
      () => admin.describeCluster(),
      ({ brokers }) => brokers.length === bootstrap.length,
    );
    await attempt('creating a topic', () => admin.createTopics({ topics: [{ topic: probe }] }));
    await attempt('committing', () => commitOffsets(kafka, probe, probe, { 0: 1 }));
    await attempt(
      'reading the commit',
      () => admin.fetchOffsets({ groupId: probe, topics: [probe] }),
      ([topic]) => topic?.partitions[0]?.offset === '1',
    );
    await attempt('deleting the group', () => admin.deleteGroups([probe]));
    await attempt('deleting the topic', () => admin.deleteTopics({ topics: [probe] }));
  } finally {
    await admin.disconnect();
  }
}
