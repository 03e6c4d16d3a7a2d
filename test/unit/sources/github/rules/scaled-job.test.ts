import { describe, expect, it } from 'vitest';
import {
  jobsToCreate,
  type ScaledJobStrategy,
  scaledJobDefaults,
} from '../../../../../src/scaling/scaled-job.ts';
import { backlog } from '../../../../../src/sources/github/rules/backlog.ts';
import { paramsOf } from '../trigger-params.ts';
import { snapshotOf } from './open-jobs.ts';

interface Situation {
  queued: number;
  inProgress: number;
  /** KEDA's unfinished Jobs, one runner each. */
  runners: number;
  /** How many of them have a pod that does not run yet. */
  pending: number;
}

/** How many runners KEDA starts at a poll in this situation. */
function created(
  count: string,
  strategy: ScaledJobStrategy['kind'] & ('default' | 'accurate' | 'eager'),
  now: Situation,
) {
  const snapshot = snapshotOf({ 'acme/web': { 'self-hosted': [now.queued, now.inProgress] } });
  const params = paramsOf({ count });
  const reading = backlog(params, snapshot);
  if (reading.kind !== 'known') throw new Error('the number is not known');
  return jobsToCreate(
    { ...scaledJobDefaults, strategy: { kind: strategy } },
    {
      isActive: reading.active,
      value: reading.items,
      target: params.targetWorkflowQueueLength,
      running: now.runners,
      pending: now.pending,
    },
  );
}

const burst = { queued: 5, inProgress: 0, runners: 0, pending: 0 };
const starting = { queued: 5, inProgress: 0, runners: 5, pending: 5 };
const picked = { queued: 0, inProgress: 5, runners: 5, pending: 0 };
const halfPicked = { queued: 3, inProgress: 2, runners: 5, pending: 3 };
const oneMore = { queued: 1, inProgress: 5, runners: 5, pending: 0 };
const ending = { queued: 2, inProgress: 1, runners: 3, pending: 1 };
const idle = { queued: 0, inProgress: 0, runners: 0, pending: 0 };

/** The Jobs to create. */
const right: [string, Situation, number][] = [
  ['a burst', burst, 5],
  ['its runners start', starting, 0],
  ['some have picked up a job', halfPicked, 0],
  ['all have', picked, 0],
  ['one more job comes while they work', oneMore, 1],
  ['nothing', idle, 0],
];

describe('36 the number of Jobs that KEDA creates for a github trigger', () => {
  it.each(right)('is right under `default` with queued+running: %s', (_, situation, jobs) => {
    expect(created('queued+running', 'default', situation)).toBe(jobs);
  });

  it.each(right)('is right under `accurate` with queued: %s', (_, situation, jobs) => {
    expect(created('queued', 'accurate', situation)).toBe(jobs);
  });

  it('is right under `accurate` with queued if runners end one by one', () => {
    expect(created('queued', 'accurate', ending)).toBe(1);
  });

  it('is too small under `default` with queued, as keda#4788 says: the job that comes later starves', () => {
    expect(created('queued', 'default', oneMore)).toBe(0);
  });

  it('is too large under `accurate` with queued+running: jobs that have their runner get another', () => {
    expect(created('queued+running', 'accurate', picked)).toBe(5);
  });
});
