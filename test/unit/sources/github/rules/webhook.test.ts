import { describe, expect, it } from 'vitest';
import { githubConfig } from '../../../../../src/sources/github/config.ts';
import { isFact } from '../../../../../src/sources/github/rules/job.ts';
import { fact, owns } from '../../../../../src/sources/github/rules/webhook.ts';
import { examplesOf } from './examples.ts';

const createdMs = Date.parse('2026-11-22T10:00:00Z');

const job = {
  id: 7,
  run_id: 5,
  run_attempt: 2,
  status: 'queued',
  conclusion: null,
  labels: ['self-hosted', 'GPU'],
  created_at: '2026-11-22T10:00:00Z',
  started_at: '2026-11-22T10:00:05Z',
  completed_at: null,
  runner_id: null,
};
const repository = { name: 'Web', full_name: 'Acme/Web', owner: { login: 'Acme' } };

/** A `workflow_job` with these differences from a plain queued one. */
function jobFact(own: object, around: object = {}) {
  const payload = { action: 'queued', workflow_job: { ...job, ...own }, repository, ...around };
  return fact('workflow_job', payload);
}

describe('a workflow_job', () => {
  it('is a fact', () => {
    expect(jobFact({}, { installation: { id: 11, node_id: 'x' } })).toEqual({
      kind: 'job',
      jobId: 7,
      runId: 5,
      runAttempt: 2,
      repo: 'acme/web',
      labels: ['gpu', 'self-hosted'],
      status: 'queued',
      sinceMs: createdMs,
      gated: false,
      installationId: 11,
    });
  });

  it.each([
    // Action, status, and the resulting state.
    ['queued', 'queued', 'queued'],
    ['queued', 'in_progress', 'in_progress'],
    ['queued', 'completed', 'completed'],
    ['in_progress', 'in_progress', 'in_progress'],
    ['in_progress', 'queued', 'in_progress'],
    ['in_progress', 'completed', 'completed'],
    ['completed', 'completed', 'completed'],
    ['completed', 'queued', 'completed'],
    ['waiting', 'waiting', 'waiting'],
    ['waiting', 'queued', 'queued'],
    // The only pair in the other direction, because nobody has approved it.
    ['queued', 'waiting', 'waiting'],
    ['queued', 'pending', 'waiting'],
    ['queued', 'requested', 'waiting'],
    ['pending', 'pending', 'waiting'],
    // Unknown words on one side or both.
    ['queued', 'sleeping', 'queued'],
    ['queued', undefined, 'queued'],
    ['assigned', 'queued', 'queued'],
    ['assigned', 'sleeping', undefined],
    ['toString', 'constructor', undefined],
    [null, 3, undefined],
  ])('of action %s and status %s is %s', (action, status, expected) => {
    expect(jobFact({ status }, { action })?.status).toBe(expected);
  });

  it.each([
    ['queued', 'queued', {}, false],
    ['queued', 'queued', { deployment: {} }, true],
    ['queued', 'queued', { deployment: null }, false],
    ['queued', 'waiting', { deployment: {} }, true],
    ['queued', 'waiting', {}, true],
    ['waiting', 'waiting', {}, true],
    ['waiting', 'queued', {}, true],
  ])('of action %s and status %s with %j is gated: %s', (action, status, around, gated) => {
    expect(jobFact({ status }, { action, ...around })).toMatchObject({ gated });
  });

  it.each([
    ['queued', {}, {}, createdMs],
    ['queued', { created_at: undefined }, {}, createdMs + 5000],
    ['queued', { created_at: undefined, started_at: undefined }, {}, undefined],
    ['queued', { created_at: '0001-01-01T00:00:00Z', started_at: 'soon' }, {}, undefined],
    // GitHub does not say when a gated job was approved.
    ['queued', {}, { deployment: {} }, undefined],
    ['waiting', { status: 'waiting' }, {}, createdMs],
    ['in_progress', { status: 'in_progress' }, {}, createdMs + 5000],
    ['completed', { status: 'completed', completed_at: '2026-11-22T10:01:00Z' }, {}, createdMs + 60_000],
    ['completed', { status: 'completed' }, {}, createdMs + 5000],
  ])('%s of %j, %j is so since %s', (action, own, around, sinceMs) => {
    expect(jobFact(own, { action, ...around })?.kind).toBe('job');
    expect(jobFact(own, { action, ...around })).toMatchObject({ sinceMs });
  });

  it.each([
    ['run_attempt left out', { run_attempt: undefined }, { runAttempt: 1 }],
    ['labels null', { labels: null }, { labels: [] }],
    ['labels that are no text', { labels: [null, 'gpu', 4, { a: 1 }] }, { labels: ['gpu'] }],
    ['labels twice, in any case', { labels: ['B', ' a', 'b'] }, { labels: ['a', 'b'] }],
    ['runner_id 0', { runner_id: 0 }, { status: 'queued' }],
    ['a runner_id though it is queued', { runner_id: 5 }, { status: 'queued' }],
    [
      'cancelled in the queue',
      { status: 'completed', conclusion: 'cancelled', runner_id: null },
      { status: 'completed' },
    ],
    [
      'skipped, without labels',
      { status: 'completed', conclusion: 'skipped', labels: [] },
      { status: 'completed' },
    ],
  ])('may have %s', (_, own, expected) => {
    expect(jobFact(own)).toMatchObject(expected);
  });

  it.each([
    ['workflow_job null', {}, { workflow_job: null }],
    ['workflow_job a list', {}, { workflow_job: [] }],
    ['no id', { id: undefined }, {}],
    ['an id that is no number', { id: '7' }, {}],
    ['an id of 0', { id: 0 }, {}],
    ['an id that numbers cannot hold', { id: 2 ** 53 }, {}],
    ['a run_id with a fraction', { run_id: 1.5 }, {}],
    ['no repository', {}, { repository: undefined }],
    ['a repository that is no name', {}, { repository: { ...repository, name: '../..' } }],
    ['a repository of a megabyte', {}, { repository: { ...repository, name: 'x'.repeat(1_000_000) } }],
    ['101 labels', { labels: Array.from({ length: 101 }, (_, i) => `l${i}`) }, {}],
    ['a label of 257 characters', { labels: ['x'.repeat(257)] }, {}],
  ])('with %s is no fact', (_, own, around) => {
    expect(jobFact(own, around)).toBeUndefined();
  });

  it('names its repository by full_name if the payload has nothing else', () => {
    expect(jobFact({}, { repository: { full_name: 'Acme/Web' } })).toMatchObject({ repo: 'acme/web' });
  });
});

describe('a workflow_run', () => {
  const run = (action: string, own: object) =>
    fact('workflow_run', { action, workflow_run: { id: 5, run_attempt: 3, ...own }, repository });

  it('is a fact', () => {
    expect(run('completed', { status: 'completed', conclusion: 'success' })).toEqual({
      kind: 'run',
      runId: 5,
      runAttempt: 3,
      repo: 'acme/web',
      status: 'completed',
    });
  });

  it.each([
    ['requested', { status: 'queued' }, 'requested'],
    ['requested', { status: 'completed', conclusion: 'action_required' }, 'requested'],
    ['in_progress', { status: 'in_progress' }, 'in_progress'],
    ['completed', { status: 'completed', conclusion: 'failure' }, 'completed'],
    ['completed', {}, 'completed'],
    // Ending its jobs here would lose them for good, because the run continues.
    ['completed', { status: 'queued' }, 'requested'],
    ['completed', { status: 'completed', conclusion: 'action_required' }, 'requested'],
    ['deleted', { status: 'completed' }, undefined],
  ])('of action %s with %j is %s', (action, own, status) => {
    expect(run(action, own)?.status).toBe(status);
  });
});

describe('payloads from the field', () => {
  const jobs = examplesOf('workflow_job');

  it('are facts, all of them', () => {
    expect(jobs.map((payload) => [payload.action, fact('workflow_job', payload)?.status])).toEqual([
      ['in_progress', 'in_progress'],
      ['completed', 'completed'],
      ['completed', 'completed'],
      ['in_progress', 'in_progress'],
      ['in_progress', 'in_progress'],
      ['queued', 'queued'],
      // At a gate.
      ['queued', 'waiting'],
      ['waiting', 'waiting'],
    ]);
  });

  it('pass through an event log as text', () => {
    const facts = [
      ...jobs.map((one) => fact('workflow_job', one)),
      ...examplesOf('workflow_run').map((one) => fact('workflow_run', one)),
    ];
    for (const one of facts) expect(isFact(JSON.parse(JSON.stringify(one)))).toBe(true);
  });

  it('show when a job is at a gate, and which installation saw it', () => {
    expect(fact('workflow_job', jobs[6])).toEqual({
      kind: 'job',
      jobId: 12_877_621_891,
      runId: 4_747_967_848,
      runAttempt: 1,
      repo: 'lineville/elastic-machines-testing',
      labels: ['k8s', 'self-hosted'],
      status: 'waiting',
      sinceMs: Date.parse('2023-04-19T21:12:12Z'),
      gated: true,
      repoId: 591_427_149,
      installationId: 23_154_469,
    });
  });

  it.each(['ping', 'push', 'check_run', 'deployment', 'workflow_dispatch'])('of %s are no facts', (event) => {
    for (const payload of examplesOf(event)) expect(fact(event, payload)).toBeUndefined();
  });
});

describe('the owner of a payload', () => {
  const config = (entry: object) => githubConfig.parse({ owner: 'acme', token: 'x', ...entry });

  it.each([
    ['its repository', {}, { repository }, true],
    ['another owner’s repository', {}, { repository: { ...repository, owner: { login: 'labs' } } }, false],
    [
      'another’s repository, sent by the organization',
      {},
      { repository: { full_name: 'labs/web' }, organization: { login: 'acme' } },
      false,
    ],
    ['the organization alone', {}, { organization: { login: 'ACME' } }, true],
    ['a user’s repository', { scope: 'repo' }, { repository }, true],
    ['a repository that the connection does not name', { repos: ['api'] }, { repository }, true],
    ['the enterprise', { scope: 'ent' }, { repository, enterprise: { slug: 'Acme' } }, true],
    ['an organization called like the enterprise', { scope: 'ent' }, { repository }, false],
    ['nobody', {}, {}, false],
    ['null', {}, null, false],
  ])('%s', (_, entry, payload, owned) => {
    expect(owns(config(entry), payload)).toBe(owned);
  });
});
