import type { About } from '../source.ts';

export const natsAbout: About = {
  measures: 'messages that a JetStream consumer has not acknowledged',
  leastStaleness: 'three times `activeReadMs`',
  hint: 'the stream, for all its consumers, or stream and consumer: `orders`, `orders.worker`',
  reaches: "the servers' client ports (4222)",
  afterRestart: 'the first read',
  oldest: {
    since: 'unknown to JetStream',
    tooSmallBy: '',
  },
  jobs: {
    default: 'the default: delivered messages count until they are acknowledged',
    accurate: 'not possible: the number includes messages in work',
  },
};
