import type { Ranges } from '../../params/ranges.ts';
import type { ParamsSchema } from '../../params/schema.ts';
import { choice, decimal, flag, list, ParamFault, ranges, required, text } from '../../params/schema.ts';
import { quote } from '../../printable.ts';
import type { IsolationLevel } from './rules/snapshot.ts';

export type OffsetResetPolicy = 'latest' | 'earliest';

/** A Kafka trigger's own keys; keys such as `bootstrapServers` belong to the connection. */
export interface KafkaParams {
  readonly consumerGroup: string;
  readonly topic: readonly string[];
  readonly topicPattern: string;
  readonly lagThreshold: number;
  readonly activationLagThreshold: number;
  readonly offsetResetPolicy: OffsetResetPolicy;
  readonly allowIdleConsumers: boolean;
  readonly scaleToZeroOnInvalidOffset: boolean;
  readonly excludePersistentLag: boolean;
  readonly persistentLagSeconds: number;
  readonly limitToPartitionsWithLag: boolean;
  readonly ensureEvenDistributionOfPartitions: boolean;
  readonly partitionLimitation: Ranges | undefined;
  readonly isolationLevel: IsolationLevel;
}

/** What a broker takes for a topic's name (org.apache.kafka.common.internals.Topic), and our two wildcards. */
const mostTopicCharacters = 249;
const notInPatterns = /[^a-zA-Z0-9._*?-]/u;

/** Names, defaults and rules of KEDA's `kafka` trigger (pkg/scalers/kafka_scaler.go, v2.21), and four keys of ours. */
export const kafkaParams: ParamsSchema<KafkaParams> = {
  table: {
    consumerGroup: required(text({ doc: 'Its lag is the backlog.' })),
    topic: list({
      doc: 'Default: every topic with committed offsets of the group.',
      most: { memberCharacters: mostTopicCharacters },
    }),
    topicPattern: {
      ...text({
        doc: '`*` is any characters, `?` is one.',
        most: mostTopicCharacters,
      }),
      parse: patternOfTopics,
    },
    lagThreshold: decimal({
      doc: 'Records of lag per replica.',
      fallback: 10,
      above: 0,
    }),
    activationLagThreshold: decimal({
      doc: 'It leaves zero above this lag.',
      fallback: 0,
      least: 0,
    }),
    offsetResetPolicy: choice({
      doc: 'A partition without a committed offset has a lag of 1, or of its whole log.',
      choices: ['latest', 'earliest'],
      fallback: 'latest',
    }),
    allowIdleConsumers: flag({ doc: 'Allows more replicas than partitions.' }),
    scaleToZeroOnInvalidOffset: flag({ doc: 'Such a partition has no lag.' }),
    excludePersistentLag: flag({
      doc: 'Lag that nobody processes does not count, but keeps it active.',
    }),
    persistentLagSeconds: decimal({
      doc: 'How long its committed offset must stay.',
      fallback: 60,
      above: 0,
      most: 604_800,
    }),
    limitToPartitionsWithLag: flag({ doc: 'At most one replica a partition with lag.' }),
    ensureEvenDistributionOfPartitions: flag({
      doc: 'Rounds up until partitions are shared evenly.',
    }),
    partitionLimitation: ranges({
      doc: 'Such as `1,3-5`, of `topic` or `topicPattern`.',
      most: 2 ** 31 - 1,
    }),
    isolationLevel: choice({
      doc: 'Up to the high watermark, or the last stable offset.',
      choices: ['readUncommitted', 'readCommitted'],
      fallback: 'readUncommitted',
    }),
  },
  rules: [
    ({ topic, topicPattern }) =>
      topic.length > 0 && topicPattern !== ''
        ? 'topic and topicPattern exclude each other: give one'
        : undefined,
    ({ allowIdleConsumers, limitToPartitionsWithLag }) =>
      allowIdleConsumers && limitToPartitionsWithLag
        ? 'allowIdleConsumers and limitToPartitionsWithLag exclude each other: set one'
        : undefined,
    ({ ensureEvenDistributionOfPartitions, limitToPartitionsWithLag }) =>
      ensureEvenDistributionOfPartitions && limitToPartitionsWithLag
        ? 'ensureEvenDistributionOfPartitions and limitToPartitionsWithLag exclude each other: set one'
        : undefined,
    (params) => needsTopic(params, 'limitToPartitionsWithLag'),
    (params) => needsTopic(params, 'ensureEvenDistributionOfPartitions'),
  ],
};

function needsTopic(
  params: KafkaParams,
  key: 'limitToPartitionsWithLag' | 'ensureEvenDistributionOfPartitions',
): string | undefined {
  return params[key] && !namesTopics(params) ? `${key}: needs topic or topicPattern` : undefined;
}

function patternOfTopics(given: string): string {
  if (!notInPatterns.test(given)) return given;
  throw new ParamFault(
    `must be a name of letters, digits, ".", "_" and "-", with * for any run of characters and ? for any one, got ${quote(given)}`,
  );
}

/** Whether the trigger says which topics it means, rather than "whatever the group has committed". */
export function namesTopics({ topic, topicPattern }: KafkaParams): boolean {
  return topic.length > 0 || topicPattern !== '';
}
