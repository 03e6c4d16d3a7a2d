import type { Source } from '../source.ts';
import { sqsAbout } from './about.ts';
import { type SqsConfig, sqsConfig, sqsConnectionKeys } from './config.ts';
import { type SqsParams, sqsParams } from './params.ts';
import { backlog, conflict, doubts, target } from './rules/backlog.ts';
import { fold, type SqsHistory, type SqsSnapshot } from './rules/history.ts';
import { minReadMs, pace } from './rules/pace.ts';
import { accountOf } from './rules/queue.ts';
import { connect, type SqsNeed } from './upstream/connection.ts';

/** The messages of an Amazon SQS queue. */
export const sqs: Source<SqsParams, SqsConfig, SqsSnapshot, SqsHistory, SqsNeed> = {
  kind: 'sqs',
  about: sqsAbout,
  params: sqsParams,
  threshold: 'queueLength',
  config: sqsConfig,
  files: { accessKeyId: 'open', secretAccessKey: 'secret', sessionToken: 'secret' },
  connectionKeys: sqsConnectionKeys,
  place: ({ region, endpoint, roleArn }) => ({
    addresses: region === undefined ? [] : [{ region, endpoint, account: accountOf(roleArn) }],
  }),
  local: ['snsTopics', 'idleReadSeconds', 'activeReadSeconds'],
  snsTopics: ({ snsTopics = [] }) => snsTopics,
  minReadMs: () => minReadMs,
  readsAlone: true,
  // Two reads at the pace that the operator pays for; the usual limit is always allowed.
  leastStalenessSeconds: (_, { activeReadSeconds }) => Math.min(2 * activeReadSeconds, 60),
  conflict,
  doubts,
  connect,
  fold,
  evaluate: backlog,
  pace,
  target,
};
