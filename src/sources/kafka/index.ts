import { tlsFiles } from '../../outbound/tls.ts';
import type { Source } from '../source.ts';
import { kafkaAbout } from './about.ts';
import { type KafkaConfig, kafkaConfig, kafkaConnectionKeys } from './config.ts';
import { type KafkaParams, kafkaParams } from './params.ts';
import { backlog, target } from './rules/backlog.ts';
import { caution, fold, type KafkaHistory } from './rules/history.ts';
import { pace } from './rules/pace.ts';
import type { KafkaNeed, KafkaSnapshot } from './rules/snapshot.ts';
import { connect } from './upstream/connection.ts';
import { sendsSecretInPlaintext } from './upstream/wire/security.ts';

/** The lag of a consumer group. */
export const kafka: Source<KafkaParams, KafkaConfig, KafkaSnapshot, KafkaHistory, KafkaNeed> = {
  kind: 'kafka',
  about: kafkaAbout,
  params: kafkaParams,
  threshold: 'lagThreshold',
  learnsReplicaRate: true,
  config: kafkaConfig,
  files: {
    password: 'secret',
    clientSecret: 'secret',
    ...tlsFiles,
  },
  connectionKeys: kafkaConnectionKeys,
  place: ({ bootstrapServers = [] }) => ({ addresses: bootstrapServers.toSorted() }),
  local: ['activeReadMs'],
  sendsSecretInPlaintext,
  minReadMs: ({ activeReadMs }) => activeReadMs,
  // Three reads, since one may be late or lost.
  leastStalenessSeconds: (_, { activeReadMs }) => (3 * activeReadMs) / 1000,
  connect,
  fold,
  caution,
  evaluate: (params, { snapshot, history, takenAtMs }) => backlog(params, snapshot, history, takenAtMs),
  pace,
  target,
};
