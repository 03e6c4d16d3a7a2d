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
  snsTopics: ({ snsTopics = [] }) => snsTopics,
  minReadMs: () => minReadMs,
  readsAlone: true,
  conflict,
  connect,
  fold,
  evaluate: backlog,
  pace,
  target,
};
