import { describe, expect, it } from 'vitest';
import {
  jobsToCreate,
  type ScaledJobPoll,
  type ScaledJobSpec,
  type ScaledJobStrategy,
  scaledJobDefaults,
} from '../../../src/scaling/scaled-job.ts';

interface Row {
  name: string;
  strategy?: ScaledJobStrategy;
  spec?: Partial<ScaledJobSpec>;
  poll: Partial<ScaledJobPoll>;
  jobs: number;
}

const accurate = { kind: 'accurate' } as const;
const eager = { kind: 'eager' } as const;
const custom = { kind: 'custom', queueLengthDeduction: 2, runningJobPercentage: 0.5 } as const;

// biome-ignore format: a table reads best with one row a line
const rows: Row[] = [
  { name: 'no work', poll: { isActive: false, value: 50 }, jobs: 0 },
  { name: 'an empty queue', poll: { value: 0 }, jobs: 0 },
  { name: 'default: one job a target', poll: { value: 30, target: 10 }, jobs: 3 },
  { name: 'default: a part of a target is a job', poll: { value: 31, target: 10 }, jobs: 4 },
  { name: 'default: running jobs are taken off', poll: { value: 30, target: 10, running: 2 }, jobs: 1 },
  { name: 'default: more running than wanted', poll: { value: 30, target: 10, running: 5 }, jobs: 0 },
  { name: 'default: pending jobs are running jobs already', poll: { value: 30, target: 10, running: 2, pending: 2 }, jobs: 1 },
  { name: 'default: maxReplicaCount', poll: { value: 5000 }, jobs: 100 },
  { name: 'default: maxReplicaCount with running ones', spec: { maxReplicaCount: 10 }, poll: { value: 50, running: 4 }, jobs: 6 },
  { name: 'never more jobs than items', poll: { value: 2, target: 0.5 }, jobs: 2 },
  { name: 'accurate: running jobs have taken their items', strategy: accurate, poll: { value: 3, running: 2 }, jobs: 3 },
  { name: 'accurate: pending jobs have not', strategy: accurate, poll: { value: 3, running: 2, pending: 2 }, jobs: 1 },
  { name: 'accurate: room is left for the running ones', strategy: accurate, spec: { maxReplicaCount: 10 }, poll: { value: 8, running: 7 }, jobs: 3 },
  { name: 'accurate: full', strategy: accurate, spec: { maxReplicaCount: 10 }, poll: { value: 8, running: 10 }, jobs: 0 },
  { name: 'eager: fills what is free', strategy: eager, spec: { maxReplicaCount: 10 }, poll: { value: 8, running: 3 }, jobs: 7 },
  { name: 'eager: pending jobs are not free', strategy: eager, spec: { maxReplicaCount: 10 }, poll: { value: 8, running: 3, pending: 2 }, jobs: 5 },
  { name: 'eager: not more than the queue', strategy: eager, spec: { maxReplicaCount: 10 }, poll: { value: 4, running: 3 }, jobs: 4 },
  { name: 'custom: deduction and a share of the running ones', strategy: custom, poll: { value: 20, running: 5 }, jobs: 16 },
  { name: 'custom: not below none', strategy: custom, poll: { value: 3, running: 5 }, jobs: 0 },
  { name: 'minReplicaCount comes first', spec: { minReplicaCount: 4 }, poll: { value: 50, running: 1 }, jobs: 3 },
  { name: 'those of minReplicaCount are not taken off the queue', spec: { minReplicaCount: 4 }, poll: { value: 3, running: 5 }, jobs: 2 },
];

describe('the Jobs that a poll creates', () => {
  it.each(rows)('$name', ({ strategy = { kind: 'default' }, spec, poll, jobs }) => {
    const whole = { isActive: true, value: 1, target: 1, running: 0, pending: 0, ...poll };
    expect(jobsToCreate({ ...scaledJobDefaults, strategy, ...spec }, whole)).toBe(jobs);
  });
});
