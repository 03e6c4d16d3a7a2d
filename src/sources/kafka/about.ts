import type { About } from '../source.ts';

export const kafkaAbout: About = {
  measures: 'the lag of a consumer group',
  leastStaleness: 'three times `activeReadMs`',
  hint: 'the topic',
  reaches: "the brokers' ports; with sasl also HTTPS of the tokenEndpoint, or of AWS",
  afterRestart:
    'the first read. What [`excludePersistentLag`](triggers.md#source-kafka) has seen is seen anew, for `persistentLagSeconds`',
  oldest: {
    since:
      'the first read that saw the end of the log beyond the oldest record that is not committed, to its commit',
    tooSmallBy:
      'the time between two reads. Of a partition 32 reads are remembered: while a group works through a long lag, it can be a third of an age of an hour, and half of that of a day. A group that stands still is not affected',
  },
  jobs: {
    default: 'lag, which holds what is worked on until it is committed',
    accurate: 'not: a lag never says what is taken',
  },
};
