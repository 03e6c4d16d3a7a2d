import type { About } from '../source.ts';

export const eventsAbout: About = {
  measures: 'work items that CloudEvents tell of: queued, running, finished',
  leastStaleness: '2',
  hint: 'none: items are in the body',
  reaches: 'nothing',
  afterRestart:
    'with `file` everything, at once; with `memory` [nothing for `ttlSeconds`](events.md#the-event-log)',
  oldest: {
    since:
      'the first event that calls its attempt queued, by our clock, to the one that says it runs or is finished',
    tooSmallBy: 'the way of that event; where the event log has dropped it, the time until the next one',
  },
  jobs: {
    default: 'items that end with `finished`',
    accurate: '[a backlog whose items are over once they run](events.md#jobs-instead-of-replicas)',
  },
};
