import type { About } from '../source.ts';

export const eventsAbout: About = {
  measures: 'work items that CloudEvents announce: queued, running, finished',
  leastStaleness: '2',
  hint: 'none: items are in the body',
  reaches: 'nothing',
  afterRestart:
    'with `file` or `nats` everything at once; with `memory` [nothing for `ttlSeconds`](events.md#the-event-log)',
  oldest: {
    since:
      "the first event that calls its attempt queued, by the scaler's clock, until an event calls it running or finished",
    tooSmallBy: 'the delay of that event; if the event log has dropped it, the time until the next one',
  },
  jobs: {
    default: 'items that end with `finished`',
    accurate: '[a backlog whose items end when they run](events.md#jobs-instead-of-replicas)',
  },
};
