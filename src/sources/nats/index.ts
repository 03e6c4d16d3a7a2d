import { natsFiles, natsSendsSecretInPlaintext } from '../../outbound/nats.ts';
import type { Source } from '../source.ts';
import { natsAbout } from './about.ts';
import { type NatsConfig, natsConfig, natsConnectionKeys, placeOf } from './config.ts';
import { type NatsParams, natsParams } from './params.ts';
import { backlog, target } from './rules/backlog.ts';
import { fold, type NatsHistory, pace } from './rules/pace.ts';
import type { NatsSnapshot } from './rules/snapshot.ts';
import { connect, type NatsNeed } from './upstream/connection.ts';

/** Counts the messages of a consumer of NATS JetStream. */
export const nats: Source<NatsParams, NatsConfig, NatsSnapshot, NatsHistory, NatsNeed> = {
  kind: 'nats',
  about: natsAbout,
  params: natsParams,
  threshold: 'lagThreshold',
  config: natsConfig,
  files: natsFiles,
  connectionKeys: natsConnectionKeys,
  place: placeOf,
  local: ['activeReadMs', 'reconcileSeconds'],
  sendsSecretInPlaintext: natsSendsSecretInPlaintext,
  minReadMs: ({ activeReadMs }) => activeReadMs,
  readsAlone: true,
  // Three reads, since one may be late or lost.
  leastStalenessSeconds: (_, { activeReadMs }) => (3 * activeReadMs) / 1000,
  connect,
  fold,
  evaluate: (params, { snapshot }) => backlog(params, snapshot),
  pace,
  target,
};
