import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../src/errors.ts';
import type { Covered } from '../../../../../src/sources/github/rules/backlog.ts';
import { backlog, target } from '../../../../../src/sources/github/rules/backlog.ts';
import type { Reading } from '../../../../../src/sources/source.ts';
import { metricName } from '../../../../../src/triggers/resolve.ts';
import { paramsOf } from '../trigger-params.ts';
import { agedSnapshotOf, type JobTable, snapshotOf, synced, unsynced } from './open-jobs.ts';

const jobs: JobTable = {
  'acme/web': { 'self-hosted': [3, 1], 'gpu self-hosted': [2, 4], 'ubuntu-latest': [50, 50] },
  'acme/api': { 'self-hosted': [1, 0], '': [7, 0] },
};
const web = ['acme/web'];
const both = ['acme/api', 'acme/web'];
const gpuOnly = { labels: 'gpu,self-hosted', noDefaultLabels: 'true' };

/** Items and activity, or the kind if it has no number. */
function read(metadata: Record<string, string>, table: JobTable, repos?: string[], covered?: Covered) {
  const snapshot = snapshotOf(table, { ...(repos && { repos }), ...(covered && { covered }) });
  const reading = backlog(paramsOf(metadata), snapshot);
  return reading.kind === 'known' ? [reading.items, reading.active] : reading.kind;
}

describe('the backlog of a github trigger', () => {
  it.each([
    // Every repository. Jobs without labels fit every runner.
    [{}, undefined, [3 + 1 + 1 + 7, true]],
    [{ count: 'queued' }, undefined, [3 + 1 + 7, true]],
    [{ labels: 'gpu' }, undefined, [3 + 1 + 2 + 4 + 1 + 7, true]],
    [{ labels: 'gpu', count: 'queued' }, undefined, [3 + 2 + 1 + 7, true]],
    [{ labels: 'gpu', matchUnlabeledJobsWithUnlabeledRunners: 'true' }, undefined, [3 + 1 + 2 + 4 + 1, true]],
    [{ labels: 'ubuntu-latest' }, web, [3 + 1 + 100, true]],
    // The named repositories.
    [{}, web, [4, true]],
    [{}, both, [12, true]],
    [gpuOnly, web, [10, true]],
    [{}, ['acme/none'], [0, false]],
    [{}, ['acme/none', 'acme/api'], [8, true]],
  ])('of %j in %j is %j', (metadata, repos, expected) => {
    expect(read(metadata, jobs, repos)).toEqual(expected);
  });

  it.each([
    [0, '0', false],
    [1, '0', true],
    [5, '5', false],
    [6, '5', true],
    [1, '0.5', true],
  ])('of %d jobs is active above %s: %s', (queued, activationTargetWorkflowQueueLength, active) => {
    const table: JobTable = { 'acme/web': { 'self-hosted': [queued, 0] } };
    expect(read({ activationTargetWorkflowQueueLength }, table)).toEqual([queued, active]);
  });

  it('is active for fewer jobs than one replica handles, where KEDA would not wake', () => {
    const table: JobTable = { 'acme/web': { 'self-hosted': [3, 0] } };
    expect(read({ targetWorkflowQueueLength: '5' }, table)).toEqual([3, true]);
  });

  it('is not active for running jobs if only queued ones count', () => {
    expect(read({ count: 'queued' }, { 'acme/web': { 'self-hosted': [0, 9] } })).toEqual([0, false]);
  });

  it.each<[string, Record<string, string>, number[], boolean, Covered, unknown]>([
    ['the oldest of all that fit', {}, [50, 20, 10], false, synced, { sinceMs: 20, atLeast: false }],
    ['with one of unknown age', {}, [50, 20, 10], true, synced, { sinceMs: 20, atLeast: true }],
    ['none is queued', {}, [], false, synced, undefined],
    [
      'with a repository that is missing',
      {},
      [50],
      false,
      { kind: 'partial', repos: ['acme/api'], confirmedAtMs: 1 },
      { sinceMs: 50, atLeast: true },
    ],
  ])(
    'says since when the oldest job has been queued: %s',
    (_, metadata, sinceMs, atLeast, covered, expected) => {
      // The last of three requires a label that the runner does not have.
      const snapshot = agedSnapshotOf([['self-hosted'], ['self-hosted'], ['gpu']], sinceMs, atLeast, covered);
      const reading = backlog(paramsOf(metadata), snapshot);
      expect(reading.kind === 'known' ? reading.oldest : reading.kind).toEqual(expected);
    },
  );

  it('needs each repository once, and without names the whole owner', () => {
    const all = snapshotOf(jobs);
    backlog(paramsOf(), all);
    expect(all.jobs.asked).toEqual([undefined]);
    const named = snapshotOf(jobs, { repos: both });
    backlog(paramsOf(), named);
    expect(named.jobs.asked).toEqual(both);
  });
});

describe('an unknown number', () => {
  const missing: Covered = { kind: 'partial', repos: ['acme/api'], confirmedAtMs: 1 };
  const busy: JobTable = { 'acme/web': { 'self-hosted': [2, 0] } };
  const activation = { activationTargetWorkflowQueueLength: '2' };

  it.each<[string, Record<string, string>, JobTable, Covered, unknown]>([
    ['read, no jobs', {}, {}, synced, [0, false]],
    ['read, jobs', {}, busy, synced, [2, true]],
    ['not read yet, no jobs', {}, {}, unsynced, 'unknown'],
    ['not read yet, jobs by webhook', {}, busy, unsynced, 'active'],
    ['not read yet, too few jobs by webhook', activation, busy, unsynced, 'unknown'],
    ['one is not there, no jobs', {}, {}, missing, 'unknown'],
    ['one is not there, jobs in the other', {}, busy, missing, [2, true]],
    ['one is not there, too few jobs', activation, busy, missing, 'unknown'],
  ])('%s: %j of %j', (_, metadata, table, covered, expected) => {
    expect(read(metadata, table, both, covered)).toEqual(expected);
  });

  it.each<[string, Record<string, string>, JobTable, boolean | undefined, Reading['kind']]>([
    ['of an active one stays as it was', {}, busy, true, 'unknown'],
    ['of an active one does not fall', {}, {}, true, 'unknown'],
    ['of an inactive one: a webhook wakes it', {}, busy, false, 'active'],
    ['of a new one: a webhook wakes it', {}, busy, undefined, 'active'],
    ['of an inactive one: too few do not', activation, busy, false, 'unknown'],
  ])('cut off from the other pods, the number %s: %j of %j', (_, metadata, table, wasActive, kind) => {
    const error = new ScalerError('unavailable', 'NATS is away');
    const snapshot = snapshotOf(table, { covered: { kind: 'cutOff', confirmedAtMs: 1, error } });
    expect(backlog(paramsOf(metadata), snapshot, wasActive).kind).toBe(kind);
  });

  it('is unknown while a part stays broken and the others have no jobs: its own fault is reported', () => {
    const fault = new ScalerError('unavailable', 'acme/api cannot be read: GitHub answers 502');
    const covered: Covered = { kind: 'partial', repos: ['acme/api'], confirmedAtMs: 1, fault };
    expect(read({}, busy, both, covered)).toEqual([2, true]);
    expect(backlog(paramsOf(), snapshotOf({}, { repos: both, covered }))).toEqual({
      kind: 'unknown',
      error: fault,
    });
  });

  it('says what is missing before the first sync', () => {
    expect(backlog(paramsOf(), snapshotOf({}, { covered: unsynced }))).toMatchObject({
      kind: 'unknown',
      error: { code: 'unavailable', message: 'the first sync is not done' },
    });
    expect(backlog(paramsOf(), snapshotOf(busy, { covered: unsynced }))).toMatchObject({
      kind: 'active',
      why: '2 jobs by webhooks so far; the first sync is not done',
    });
  });

  it('names the missing repositories, and what to do', () => {
    const reading = backlog(paramsOf(), snapshotOf({}, { repos: both, covered: missing }));
    expect(reading).toMatchObject({
      error: {
        code: 'not_found',
        message: expect.stringMatching(/404 for acme\/api: correct repos, or let the App or the token read/),
      },
    });
  });

  it('names no more repositories than fit into a message', () => {
    const repos = Array.from({ length: 1000 }, (_, i) => `acme/r${i}`);
    const covered: Covered = { kind: 'partial', repos, confirmedAtMs: 1 };
    const reading = backlog(paramsOf(), snapshotOf({}, { repos, covered }));
    const message = reading.kind === 'unknown' ? reading.error.message : '';
    expect(message).toContain('acme/r9 and 990 more');
    expect(message.length).toBeLessThan(300);
  });
});

describe('the working behind a number', () => {
  const detail = (repos: string[], covered: Covered = synced) => {
    const reading = backlog(paramsOf(gpuOnly), snapshotOf(jobs, { repos, covered }));
    return reading.kind === 'known' ? reading.detail() : undefined;
  };

  it('shows the jobs, the label sets that fit, and the places', () => {
    expect(detail([])).toEqual({ queued: 13, running: 5, labelSets: 4, repos: 'all' });
    expect(detail(web)).toEqual({ queued: 5, running: 5, labelSets: 2, repos: 'acme/web' });
  });

  it('says which repositories are left out', () => {
    const covered: Covered = { kind: 'partial', repos: ['acme/gone'], confirmedAtMs: 1 };
    expect(detail(['acme/gone', 'acme/web'], covered)).toMatchObject({ missing: 'acme/gone' });
  });
});

describe('the target of a github trigger', () => {
  const name = (metadata: Record<string, string>, owner = 'acme') =>
    metricName('github', target(paramsOf(metadata), { owner }).nameParts);

  it('is KEDA’s threshold, and an activation of our own', () => {
    const params = paramsOf({ targetWorkflowQueueLength: '3', activationTargetWorkflowQueueLength: '4' });
    expect(target(params, { owner: 'Acme' })).toEqual({
      perReplica: 3,
      activation: 4,
      nameParts: ['acme'],
    });
  });

  it('is named by the owner and the labels, however they are written, never by thresholds', () => {
    expect(name({})).toBe('github-acme');
    expect(name({ labels: 'Gpu, big' }, 'Acme')).toBe('github-acme-big-gpu');
    expect(name({ labels: 'big,gpu', targetWorkflowQueueLength: '9', repos: 'web' })).toBe(
      'github-acme-big-gpu',
    );
  });
});
