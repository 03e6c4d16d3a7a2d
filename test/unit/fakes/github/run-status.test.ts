import { describe, expect, it } from 'vitest';
import type { Conclusion, JobState, JobStatus } from '../../../../fakes/github/world/job.ts';
import { runConclusion, runStatus } from '../../../../fakes/github/world/run-status.ts';

function job(status: JobStatus, conclusion: Conclusion | null = null): JobState {
  return { status, conclusion, startedAtMs: 0, completedAtMs: null, runner: null, labels: [] };
}

describe('the status of a run', () => {
  it.each<[JobStatus[], JobStatus]>([
    [[], 'queued'],
    [['queued', 'in_progress', 'completed'], 'queued'],
    [['in_progress', 'completed'], 'in_progress'],
    [['waiting', 'queued', 'in_progress'], 'waiting'],
    [['pending', 'queued'], 'pending'],
    [['completed', 'completed'], 'completed'],
  ])('of jobs %j is %s', (statuses, expected) => {
    const jobs = statuses.map((status) => job(status));
    expect(runStatus(jobs, 0)).toBe(expected);
  });

  it('is not completed while jobs are to come', () => {
    expect(runStatus([job('completed')], 1)).toBe('in_progress');
  });
});

describe('the conclusion of a run', () => {
  it.each<[Conclusion[], Conclusion]>([
    [['success', 'failure', 'cancelled'], 'failure'],
    [['success', 'cancelled'], 'cancelled'],
    [['success', 'skipped'], 'success'],
    [['skipped', 'skipped'], 'skipped'],
    [[], 'success'],
  ])('of jobs %j is %s', (conclusions, expected) => {
    expect(runConclusion(conclusions.map((conclusion) => job('completed', conclusion)))).toBe(expected);
  });
});
