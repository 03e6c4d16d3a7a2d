import type {
  Asks,
  Connection,
  ConnectionDeps,
  Deliver,
  Subject,
  SubjectRef,
  Wake,
  Watch,
} from '../../source.ts';
import type { KafkaConfig } from '../config.ts';
import type { KafkaParams } from '../params.ts';
import type { KafkaNeed, KafkaSnapshot } from '../rules/snapshot.ts';
import { Cluster, KafkaReader } from './read/reader.ts';
import type { PartitionEnd } from './watch/settings.ts';
import { Watcher } from './watch/watcher.ts';
import { createDialer } from './wire/dialer.ts';
import { securityOf } from './wire/security.ts';
import type { Dialer } from './wire/wire.ts';

/** What brokers' logs and quotas call us. */
const clientId = 'backlog-scaler';

/** One cluster, with one set of credentials. Nothing is dialed before something is read. */
export function connect(config: KafkaConfig, deps: ConnectionDeps): KafkaConnection {
  const { connectTimeoutMs } = config;
  const { log, metrics } = deps;
  const dialer = createDialer({ clientId, security: securityOf(config), connectTimeoutMs, log, metrics });
  return new KafkaConnection(config, deps, dialer);
}

export class KafkaConnection implements Connection<KafkaParams, KafkaSnapshot, KafkaNeed> {
  private readonly cluster: Cluster;
  private readonly reader: KafkaReader;
  private readonly watcher: Watcher;

  constructor(config: KafkaConfig, { name, log }: Pick<ConnectionDeps, 'name' | 'log'>, dialer: Dialer) {
    const { bootstrapServers, requestTimeoutMs, reconcileSeconds } = config;
    const reconcileMs = reconcileSeconds * 1000;
    this.cluster = new Cluster({
      name,
      dialer,
      bootstrapServers,
      requestTimeoutMs,
      reconcileMs,
      onSilent: (address) => this.watcher.suspect(address),
    });
    this.reader = new KafkaReader(this.cluster);
    const { watchMaxWaitMs, watchPartitionsPerSession } = config;
    const leaders = this.cluster.topology;
    const onSilent = (address: string) => this.cluster.suspect(address);
    this.watcher = new Watcher(
      { dialer, leaders, log, onSilent },
      { watchMaxWaitMs, watchPartitionsPerSession },
    );
  }

  subject(
    { consumerGroup, topic, topicPattern, isolationLevel }: KafkaParams,
    asks?: Asks,
  ): SubjectRef<KafkaNeed> {
    const topics = [...new Set(topic)].sort();
    return {
      key: JSON.stringify([consumerGroup, topics, topicPattern, isolationLevel]),
      hintNames: topics,
      need: {
        consumerGroup,
        topics,
        topicPattern,
        isolationLevel,
        ...(asks?.consumers && { members: true }),
      },
    };
  }

  read(
    subjects: readonly Subject<KafkaNeed>[],
    deliver: Deliver<KafkaSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    return this.reader.read(subjects, deliver, signal);
  }

  arm({ needs }: Subject<KafkaNeed>, { topics }: KafkaSnapshot, wake: Wake): Watch {
    const isolationLevel = needs[0]?.isolationLevel ?? 'readUncommitted';
    const partitions = endsOf(topics);
    return partitions === undefined ? refused : this.watcher.arm({ partitions, isolationLevel }, wake);
  }

  /** Resolves when the wires of reads are gone; the sockets of watches are gone when it returns. */
  close(): Promise<void> {
    this.watcher.close();
    return this.cluster.close();
  }
}

/** A snapshot with a hole is not watched: what happens in the hole would wake nobody. */
const refused: Watch = { state: 'refused', confirmedAtMs: undefined, close() {} };

function endsOf(topics: KafkaSnapshot['topics']): PartitionEnd[] | undefined {
  const ends: PartitionEnd[] = [];
  for (const [topic, offsets] of topics) {
    if (offsets.kind !== 'whole') return undefined;
    for (const { partition, end } of offsets.partitions) ends.push({ topic, partition, end });
  }
  return ends;
}
