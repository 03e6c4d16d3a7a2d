import type { About } from '../source.ts';

export const natsAbout: About = {
  measures: 'the messages that a JetStream consumer has not acknowledged yet',
  leastStaleness: 'three times `activeReadMs`',
  hint: 'the stream, for all its consumers, or stream and consumer: `orders`, `orders.worker`',
  reaches: "the servers' client ports (4222)",
  afterRestart: 'the first read',
  oldest: {
    since: 'never: JetStream does not say of a consumer since when its messages wait',
    tooSmallBy: '',
  },
  jobs: {
    default: 'messages that are delivered and not acknowledged yet count with those that wait',
    accurate: 'not: the number holds what is worked on',
  },
};
