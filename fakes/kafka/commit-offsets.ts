import type { Kafka } from 'kafkajs';
import { ScalerError } from '../../src/errors.ts';

/** Offsets by partition. */
export type Offsets = Readonly<Record<number, number>>;

interface PrivateBroker {
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<unknown>;
}

interface PrivateCluster {
  connect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findGroupCoordinator(request: { groupId: string }): Promise<PrivateBroker>;
  disconnect(): Promise<void>;
}

/**
 * Commits offsets for a group without joining it, as Kafka's own admin client does (OffsetCommit with generation -1).
 * kafkajs's `admin.setOffsets` joins as a consumer, which takes about 5 s. Its cluster is private, therefore the symbol.
 */
export async function commitOffsets(
  kafka: Kafka,
  groupId: string,
  topic: string,
  offsets: Offsets,
): Promise<void> {
  const cluster = privateCluster(kafka);
  await cluster.connect();
  try {
    await cluster.refreshMetadata();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    const partitions = Object.entries(offsets).map(([partition, offset]) => ({
      partition: Number(partition),
      offset: String(offset),
    }));
    await coordinator.offsetCommit({
      groupId,
      groupGenerationId: -1,
      memberId: '',
      topics: [{ topic, partitions }],
    });
  } finally {
    await cluster.disconnect();
  }
}

function privateCluster(kafka: Kafka): PrivateCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    (s) => s.description === 'private:Kafka:createCluster',
  );
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol);
  if (typeof create !== 'function')
    throw new ScalerError('internal', 'kafkajs has no private cluster factory; 2.2.4 has.');
  const cluster: unknown = create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
  if (!isCluster(cluster))
    throw new ScalerError('internal', 'kafkajs made no cluster of the known shape; 2.2.4 does.');
  return cluster;
}

function isCluster(value: unknown): value is PrivateCluster {
  return (
    typeof value === 'object' &&
    value !== null &&
    'findGroupCoordinator' in value &&
    'refreshMetadata' in value
  );
}
