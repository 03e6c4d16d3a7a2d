import { ScalerError } from '../../../src/errors.ts';
import type { KafkaNeed, KafkaSnapshot, TopicOffsets } from '../../../src/sources/kafka/rules/snapshot.ts';
import {
  Cluster,
  type ClusterOptions,
  KafkaReader,
} from '../../../src/sources/kafka/upstream/read/reader.ts';
import type { Delivered, Subject } from '../../../src/sources/source.ts';
import type { ModelKafka } from './model-kafka.ts';

export type Result = Delivered<KafkaSnapshot> | ScalerError;

/** A reader of the model. Its clock stands still until the test moves it. */
export class ModelReading {
  readonly cluster: Cluster;
  nowMs = 1000;
  private readonly reader: KafkaReader;

  constructor(model: ModelKafka, options: Partial<ClusterOptions> = {}) {
    this.cluster = new Cluster({
      name: 'orders',
      dialer: model,
      bootstrapServers: model.addresses,
      requestTimeoutMs: 10_000,
      reconcileMs: 30_000,
      now: () => this.nowMs,
      ...options,
    });
    this.reader = new KafkaReader(this.cluster);
  }

  /** Reads subjects named by their place in the list. `onResult` gets each result at once. */
  async read(
    needs: readonly Partial<KafkaNeed>[],
    { signal = new AbortController().signal, onResult = (_key: string, _result: Result): void => {} } = {},
  ): Promise<Result[]> {
    const results = new Map<string, Result>();
    const subjects = needs.map(
      (partial, i): Subject<KafkaNeed> => ({ key: String(i), needs: [need(partial)] }),
    );
    const deliver = (key: string, result: Result): void => {
      if (results.has(key)) throw new Error(`subject ${key} was delivered twice`);
      results.set(key, result);
      onResult(key, result);
    };
    await this.reader.read(subjects, deliver, signal);
    return subjects.map(
      ({ key }) => results.get(key) ?? new ScalerError('internal', `${key} was not delivered`),
    );
  }

  /** The topics of the only subject. */
  async topics(partial: Partial<KafkaNeed>): Promise<ReadonlyMap<string, TopicOffsets>> {
    const [result] = await this.read([partial]);
    if (result === undefined || result instanceof ScalerError)
      throw result ?? new Error('nothing was delivered');
    return result.snapshot.topics;
  }
}

function need(partial: Partial<KafkaNeed>): KafkaNeed {
  return {
    consumerGroup: 'workers',
    topics: [],
    topicPattern: '',
    isolationLevel: 'readUncommitted',
    ...partial,
  };
}

/** One line for each topic: `0: start..end@commit`, with faults as codes, so that a test shows everything. */
export function show(topics: ReadonlyMap<string, TopicOffsets> | undefined): Record<string, string> {
  return Object.fromEntries([...(topics ?? [])].map(([topic, offsets]) => [topic, showTopic(offsets)]));
}

export function showResult(result: Result | undefined): Record<string, string> | string {
  if (result === undefined) return 'nothing';
  return result instanceof ScalerError ? `${result.code}: ${result.message}` : show(result.snapshot.topics);
}

function showTopic(offsets: TopicOffsets): string {
  if (offsets.kind === 'failed') return offsets.error.code;
  const read = offsets.partitions.map(
    ({ partition, logStart, end, committed }) => `${partition}: ${logStart}..${end}@${committed ?? '-'}`,
  );
  const faults = [...(offsets.kind === 'partial' ? offsets.faults : [])].map(
    ([partition, { code }]) => `${partition}: ${code}`,
  );
  return [...read, ...faults].join(', ');
}
