import type { About } from '../source.ts';

export const sqsAbout: About = {
  measures: 'the messages of a queue',
  leastStaleness: 'twice `activeReadSeconds`, but at most 60',
  hint: "the queue's name, or its URL percent-encoded: `thumbnails`, `orders.fifo`",
  reaches: 'HTTPS to SQS in its region, or to its endpoint; to STS, if a role is assumed',
  afterRestart: 'the first read decides [as it is](sqs.md#when-a-queue-is-active)',
  oldest: {
    since: 'unknown to SQS; CloudWatch has it as `ApproximateAgeOfOldestMessage`',
    tooSmallBy: '',
  },
  jobs: {
    default: '`scaleOnInFlight: "true"`, the default',
    accurate: '[`scaleOnInFlight: "false"`](scaledjobs.md#sqs-and-accurate)',
  },
};
