import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHub } from '../../../../fakes/github/fake-github.ts';
import { type Receiver, startReceiver } from '../../../support/github/receiver.ts';

const secret = 'webhook-secret';
let github: FakeGitHub;
let receiver: Receiver;

beforeEach(async () => {
  github = await FakeGitHub.start({ owner: 'acme', token: 'pat' });
  receiver = await startReceiver();
  github.hook({ url: receiver.url, secret });
  github.addRepo('shop');
});

afterEach(async () => {
  await github.close();
  await receiver.close();
});

/** Deliveries are concurrent, so their order is ignored. */
async function story(): Promise<string[]> {
  await github.delivered();
  const lines = receiver.story();
  receiver.received.length = 0;
  return lines.sort();
}

describe('the webhooks of a run', () => {
  it('report queued, in_progress and completed', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['self-hosted'] }] });
    expect(await story()).toEqual(['workflow_job queued (queued)', 'workflow_run requested (queued)']);
    const id = run.jobs[0]?.id ?? 0;
    github.pick(id, 'runner-7');
    expect(await story()).toEqual([
      'workflow_job in_progress (in_progress)',
      'workflow_run in_progress (in_progress)',
    ]);
    github.complete(id, 'failure');
    expect(await story()).toEqual([
      'workflow_job completed (completed)',
      'workflow_run completed (completed)',
    ]);
  });

  it('report a queued job behind an environment twice', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['gpu'], environment: true }] });
    expect(await story()).toEqual([
      'workflow_job queued (waiting)',
      'workflow_job waiting (waiting)',
      'workflow_run requested (waiting)',
    ]);
    github.approve(run.jobs[0]?.id ?? 0);
    expect(await story()).toEqual(['workflow_job queued (queued)']);
  });

  it('start and end a job at once that is cancelled in the queue', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['gpu'] }] });
    await story();
    github.cancelRun(run.id);
    await github.delivered();
    const [body] = receiver.bodies('workflow_job');
    const job = body?.['workflow_job'] as Record<string, unknown>;
    expect(job).toMatchObject({ status: 'completed', conclusion: 'cancelled', runner_id: null });
    expect(job['started_at']).toBe(job['completed_at']);
  });

  it('report carried-over jobs again, with new IDs, when failed ones are run again', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['a'] }, { labels: ['b'] }] });
    const before = run.jobs.map((job) => job.id);
    github.complete(before[0] ?? 0, 'failure');
    github.complete(before[1] ?? 0);
    await story();
    github.rerunFailed(run.id);
    expect(await story()).toEqual(['workflow_job completed (completed)', 'workflow_job queued (queued)']);
    expect(run.attempt).toBe(2);
    github.pick(run.jobs[0]?.id ?? 0);
    expect(await story()).toContain('workflow_run in_progress (in_progress)');
    expect(run.jobs.filter((job) => before.includes(job.id))).toEqual([]);
  });

  it('report a skipped job without its labels', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['gpu'] }] });
    await story();
    github.skip(run.jobs[0]?.id ?? 0);
    await github.delivered();
    expect(receiver.bodies('workflow_job')[0]).toMatchObject({
      action: 'completed',
      workflow_job: { conclusion: 'skipped', labels: [] },
    });
  });

  it('announce the jobs of a held-back run only after its release', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['gpu'] }], status: 'pending' });
    expect(await story()).toEqual(['workflow_run requested (pending)']);
    github.release(run.id);
    expect(await story()).toEqual(['workflow_job queued (queued)']);
  });

  it('report the end of a run only after jobs that still come', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['a'] }], jobsToCome: 1 });
    github.complete(run.jobs[0]?.id ?? 0);
    expect(await story()).not.toContain('workflow_run completed (completed)');
    const job = github.addJob(run.id, { labels: ['b'] });
    github.complete(job.id);
    expect(await story()).toContain('workflow_run completed (completed)');
  });
});

describe('a delivery', () => {
  it('is signed over its raw body', async () => {
    github.startRun('shop', { jobs: [] });
    await github.delivered();
    const [delivery] = receiver.received;
    const hmac = createHmac('sha256', secret)
      .update(delivery?.raw ?? '')
      .digest('hex');
    expect(delivery?.headers['x-hub-signature-256']).toBe(`sha256=${hmac}`);
    expect(delivery?.headers['user-agent']).toMatch(/^GitHub-Hookshot\//);
  });

  it('can be a form, signed over the form', async () => {
    const other = await startReceiver();
    github.hook({ url: other.url, secret: 'other', contentType: 'form' });
    github.startRun('shop', { jobs: [] });
    await github.delivered();
    const [delivery] = other.received;
    await other.close();
    const raw = delivery?.raw.toString() ?? '';
    expect(delivery?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(JSON.parse(new URLSearchParams(raw).get('payload') ?? '')).toMatchObject({ action: 'requested' });
    const hmac = createHmac('sha256', 'other').update(raw).digest('hex');
    expect(delivery?.headers['x-hub-signature-256']).toBe(`sha256=${hmac}`);
  });

  it('shares its GUID with all hooks and with its redelivery, which has the same body', async () => {
    github.hook({ url: receiver.url, secret: 'another' });
    github.startRun('shop', { jobs: [] });
    await github.delivered();
    const [guid] = github.guids();
    github.redeliver(guid ?? '');
    await github.delivered();
    expect(receiver.received.map(({ headers }) => headers['x-github-delivery'])).toEqual([
      guid,
      guid,
      guid,
      guid,
    ]);
    expect(new Set(receiver.received.map(({ raw }) => raw.toString())).size).toBe(1);
  });

  it('is lost without a trace if so configured', async () => {
    github.loseDeliveries((happening) => happening.action === 'queued');
    github.startRun('shop', { jobs: [{ labels: [] }, { labels: [] }] });
    expect(await story()).toEqual(['workflow_run requested (queued)']);
    github.mendDeliveries();
    github.startRun('shop', { jobs: [{ labels: [] }] });
    expect(await story()).toHaveLength(2);
  });

  it('can be held back and released in another order', async () => {
    github.holdDeliveries();
    const run = github.startRun('shop', { jobs: [{ labels: [] }] });
    github.complete(run.jobs[0]?.id ?? 0);
    expect(await story()).toEqual([]);
    github.releaseDeliveries((items) => [...items].reverse());
    expect(await story()).toHaveLength(4);
  });

  it('is not repeated by itself', async () => {
    receiver.statusCode = 500;
    github.startRun('shop', { jobs: [] });
    expect(await story()).toEqual(['workflow_run requested (queued)']);
    receiver.statusCode = 202;
    github.redeliver(github.guids()[0] ?? '');
    expect(await story()).toEqual(['workflow_run requested (queued)']);
  });

  it('overtakes others', async () => {
    github.shuffle(200, 7);
    const started = Array.from({ length: 8 }, () => github.startRun('shop', { jobs: [] }).id);
    await github.delivered();
    const ids = receiver.bodies('workflow_run').map((body) => Object(body['workflow_run']).id);
    expect(ids).not.toEqual(started);
    expect(ids.sort()).toEqual(started);
  });
});
