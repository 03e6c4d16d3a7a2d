import type { About } from '../source.ts';

export const kafkaAbout: About = {
  measures: 'the lag of a consumer group',
  leastStaleness: 'three times `activeReadMs`',
  hint: 'the topic',
  reaches: "the brokers' ports; with sasl also HTTPS to the tokenEndpoint, or to AWS",
  afterRestart:
    'the first read. [`excludePersistentLag`](triggers.md#source-kafka) starts again, for `persistentLagSeconds`',
  oldest: {
    since: 'the first read after the oldest uncommitted record was appended, until its commit',
    tooSmallBy:
      'the time between two reads; while a group works through a long lag, a third of an hour and half of a day',
  },
  jobs: {
    default: 'the lag, which includes records in work until they are committed',
    accurate: 'not possible: the lag does not show what is taken',
  },
};
