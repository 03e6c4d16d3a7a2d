import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { ref } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const secret = "It's a Secret to Everybody";
const anyPort = { host: '127.0.0.1', port: 0 };

/** A GitHub with the repository `web`, and its scaler, with a webhook. */
async function start(prepare: (github: FakeGitHub) => void = () => {}) {
  const github = await FakeGitHub.start({ owner: 'acme', app: { id: 1, installationId: 2 } });
  onTestFinished(() => github.close());
  github.addRepo('web');
  prepare(github);
  const { app } = github;
  const connection = {
    source: 'github',
    owner: 'Acme',
    apiUrl: github.url,
    requestTimeoutMs: 1000,
    app: { id: app?.id, privateKeyFile: 'app.pem' },
    webhookSecretFile: 'webhook-secret',
  };
  const settings = {
    ingest: anyPort,
    limits: { coldReadTimeoutMs: 50 },
    security: { allowPlaintextSecrets: true },
    connections: { ci: connection },
  };
  const files = { 'app.pem': app?.privateKey ?? '', 'webhook-secret': secret };
  const scaler = await WholeScaler.start(settings, files);
  onTestFinished(() => scaler.stop());
  github.hook({ url: `http://127.0.0.1:${ingestPort(scaler)}/ingest/github`, secret });
  const { client } = scaler;
  const trigger = (metadata: Record<string, string> = {}) =>
    ref(`runners-${JSON.stringify(metadata)}`, { source: 'github', owner: 'acme', ...metadata });
  const number = async (metadata: Record<string, string> = {}) => {
    const { metricValues } = await client.getMetrics(trigger(metadata), '');
    const { result } = await client.isActive(trigger(metadata));
    return [metricValues[0]?.metricValueFloat, result];
  };
  const becomes = (expected: unknown, metadata?: Record<string, string>) =>
    vi.waitFor(async () => expect(await number(metadata)).toEqual(expected), 15_000);
  return { github, client, trigger, number, becomes };
}

function ingestPort({ log }: WholeScaler): number {
  const line = log.lines.find(({ fields }) => 'server' in fields && fields.server === 'ingest');
  if (line === undefined || !('port' in line.fields)) throw new Error('ingest does not listen');
  return Number(line.fields.port);
}

const run = (...labels: string[][]) => ({ jobs: labels.map((of) => ({ labels: of })) });

describe('conformance: github semantics', () => {
  it('pushes `true` before the first sync, and the number is UNAVAILABLE until it is done', {
    timeout: 30_000,
  }, async () => {
    const { github, client, trigger, becomes } = await start(({ faults }) => {
      faults.hang = true;
    });
    const stream = client.streamIsActive(trigger());
    const unavailable = { code: Code.UNAVAILABLE, details: expect.stringContaining('have not been') };
    await expect(client.getMetrics(trigger(), '')).rejects.toMatchObject(unavailable);
    await expect(client.isActive(trigger())).rejects.toMatchObject(unavailable);
    github.startRun('web', run(['self-hosted'], ['self-hosted']));
    expect(await stream.next()).toEqual({ result: true });
    expect(await client.isActive(trigger())).toEqual({ result: true });
    await expect(client.getMetrics(trigger(), '')).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      details: expect.stringContaining('2 jobs by webhooks so far'),
    });
    github.faults.clear();
    await becomes([2, true]);
  });

  it('counts jobs from before its start, and follows jobs from queue to end', async () => {
    const { github, becomes, number } = await start((before) => {
      before.seedRun('web', { jobs: [{ labels: ['self-hosted'] }] });
    });
    await becomes([1, true]);
    const { jobs } = github.startRun('web', run(['Linux', 'self-hosted'], ['self-hosted', 'gpu']));
    await becomes([2, true]);
    await becomes([3, true], { labels: 'GPU' });
    for (const { id } of jobs) github.pick(id);
    await becomes([0, false], { labels: 'x', noDefaultLabels: 'true' });
    await becomes([1, true], { count: 'queued' });
    expect(await number()).toEqual([2, true]);
    for (const { id } of jobs) github.complete(id);
    for (const { id } of github.openJobs()) {
      github.pick(id);
      github.complete(id);
    }
    await becomes([0, false]);
  });

  it('39 label matrix: subset, case, noDefaultLabels, unlabeled', async () => {
    const { github, becomes } = await start();
    github.startRun('web', run(['self-hosted', 'ARM64'], ['pool-1'], []));
    const strict = { matchUnlabeledJobsWithUnlabeledRunners: 'true' };
    await becomes([1, true], {});
    await becomes([2, true], { labels: 'arm64' });
    await becomes([2, true], { labels: 'Pool-1', noDefaultLabels: 'true' });
    await becomes([1, true], { labels: 'pool-1', noDefaultLabels: 'true', ...strict });
    await becomes([1, true], strict);
    await becomes([2, true], { defaultLabels: 'self-hosted,linux,arm64' });
  });

  it('39 more than 100 jobs in a run, more than 100 runs in a repository', async () => {
    const { github, becomes } = await start((before) => {
      const job = { labels: ['self-hosted'] };
      before.seedRun('web', { jobs: Array.from({ length: 130 }, () => job) });
      for (let i = 0; i < 120; i += 1) before.seedRun('web', { jobs: [job] });
    });
    await vi.waitFor(() => expect(github.requests.length).toBeGreaterThan(120), 30_000);
    await becomes([250, true]);
  });

  it('39 a job that is reported twice counts once', async () => {
    const { github, becomes, number } = await start();
    github.startRun('web', run(['self-hosted']));
    await github.delivered();
    for (const guid of github.guids()) github.redeliver(guid);
    await github.delivered();
    await becomes([1, true]);
    expect(await number({ repos: 'web' })).toEqual([1, true]);
  });

  it('39 a missing repository is skipped while the others have jobs, and never makes it zero', async () => {
    const { github, becomes, client, trigger } = await start();
    const both = { repos: 'web,gone' };
    await becomes([0, false], { repos: 'web' });
    await vi.waitFor(
      () =>
        expect(client.getMetrics(trigger(both), '')).rejects.toMatchObject({
          code: Code.NOT_FOUND,
          details: expect.stringMatching(/404 for acme\/gone: correct repos/),
        }),
      15_000,
    );
    github.startRun('web', run(['self-hosted']));
    await becomes([1, true], both);
  });

  it('counts a job at a gate only when it is approved', async () => {
    const { github, becomes, number } = await start();
    const { jobs } = github.startRun('web', {
      jobs: [{ labels: ['self-hosted'], environment: true }, { labels: ['self-hosted'] }],
    });
    await becomes([1, true]);
    await github.delivered();
    expect(await number()).toEqual([1, true]);
    github.approve(jobs[0]?.id ?? 0);
    await becomes([2, true]);
  });

  it('5 the metric is named by owner and labels, and the spec needs no GitHub', async () => {
    const { client, trigger } = await start(({ faults }) => {
      faults.down = true;
    });
    const spec = async (metadata: Record<string, string>) =>
      (await client.getMetricSpec(trigger(metadata))).metricSpecs;
    const [plain, ...more] = await spec({});
    expect(more).toEqual([]);
    expect(plain).toMatchObject({ metricName: 'github-acme', targetSizeFloat: 1, targetSize: '1' });
    expect(await spec({ labels: 'gpu,Big', targetWorkflowQueueLength: '2.5' })).toMatchObject([
      { metricName: 'github-acme-big-gpu', targetSizeFloat: 2.5, targetSize: '3' },
    ]);
  });

  it('16 names every fault of a trigger at once', async () => {
    const { client, trigger } = await start();
    const metadata = { owner: 'labs', count: 'all', repos: '../x', label: 'gpu' };
    await expect(client.getMetricSpec(trigger(metadata))).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      details: expect.stringMatching(
        /count: .*"label": unknown key \(did you mean "labels"\?\).*owner "labs"/,
      ),
    });
    await expect(client.getMetricSpec(trigger({ repos: 'labs/web' }))).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      details: expect.stringContaining('"labs/web" does not belong to Acme'),
    });
  });
});
