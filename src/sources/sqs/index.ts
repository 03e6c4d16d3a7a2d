import type { Source } from '../source.ts';
import { backlog, conflict, target } from './backlog.ts';
import { type SqsConfig, sqsConfig } from './config.ts';
import { connect } from './connection.ts';
import { sqsConnectionKeys } from './connection-keys.ts';
import { fold, type SqsHistory } from './history.ts';
import { minReadMs, pace } from './pace.ts';
import { type SqsParams, sqsParams } from './params.ts';
import type { SqsNeed, SqsSnapshot } from './snapshot.ts';

/** The messages of an Amazon SQS queue. */
export const sqs: Source<SqsParams, SqsConfig, SqsSnapshot, SqsHistory, SqsNeed> = {
  kind: 'sqs',
  params: sqsParams,
  config: sqsConfig,
  connectionKeys: sqsConnectionKeys,
  place: ({ region, endpoint, roleArn }) => ({ region, endpoint, account: accountOf(roleArn) }),
  local: ['snsTopics', 'idleReadSeconds', 'activeReadSeconds'],
  snsTopics: ({ snsTopics = [] }) => snsTopics,
  minReadMs: () => minReadMs,
  readsAlone: true,
  // Two reads at the pace that the operator pays for; the usual limit is always allowed.
  leastStalenessSeconds: (_, { activeReadSeconds }) => Math.min(2 * activeReadSeconds, 60),
  conflict,
  connect,
  fold,
  evaluate: backlog,
  pace,
  target,
};

/** The account of a role to assume: a queue's bare name is one of it. */
function accountOf(roleArn: string | undefined): string | undefined {
  return roleArn?.split(':')[4];
}
