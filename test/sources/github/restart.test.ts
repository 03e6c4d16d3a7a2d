import { describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { eventually, hasty, patient, run, Scene } from '../../support/github-scaler.ts';

describe.concurrent('restart and first sync', () => {
  it('a restart loses nothing: UNAVAILABLE until the first sync, then the number of today', async (test) => {
    const scene = await Scene.start(test, { connection: { ...patient, requestTimeoutMs: 1000 } });
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(5));
    await scene.becomes(5);
    await scene.stop();
    const [first, second, third] = github.openJobs();
    github.complete(first?.id ?? 0);
    github.complete(second?.id ?? 0);
    github.pick(third?.id ?? 0);
    github.startRun('web', run(4));
    github.faults.hang = true;
    await scene.again();
    const polling = scene.poll(test);
    const queued = scene.poll(test, { count: 'queued' });
    await scene.becomesUnknown('UNAVAILABLE', {}, 'have not been listed yet');
    github.faults.clear();
    await scene.becomes(7);
    await scene.becomes(6, { count: 'queued' });
    const numbers = (await polling.stop()).map(({ number }) => number);
    expect(new Set(numbers)).toEqual(new Set(['UNAVAILABLE', 7]));
    expect(tooLow(await queued.stop(), 6)).toEqual([]);
  });

  it('a `queued` before the first sync is `true` on the streams it matches, and on no other', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.addRepo('api');
        github.faults.hang = true;
      },
    });
    const { github, scaler } = scene;
    const follow = (metadata: Record<string, string>) =>
      scaler.client.streamIsActive(scene.trigger(metadata));
    const matching = [{}, { labels: 'gpu,huge' }, { repos: 'web' }].map(follow);
    const others = [
      { repos: 'api' },
      { defaultLabels: 'windows' },
      { activationTargetWorkflowQueueLength: '1' },
    ];
    const quiet = others.map(follow);
    await scene.becomesUnknown('UNAVAILABLE');
    github.startRun('web', run(1));
    for (const stream of matching) expect(await stream.next()).toEqual({ result: true });
    expect(await scene.ask()).toEqual({ number: 'UNAVAILABLE', active: true });
    for (const metadata of others)
      expect(await scene.ask(metadata)).toEqual({ number: 'UNAVAILABLE', active: 'UNAVAILABLE' });
    expect(quiet.flatMap(({ messages }) => messages)).toEqual([]);
    github.faults.clear();
    await scene.becomes(1);
    for (const stream of quiet) expect(await stream.next()).toEqual({ result: false });
  });

  it('readiness waits for the first sync', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(2));
        github.faults.hang = true;
      },
    });
    await scene.becomesUnknown('UNAVAILABLE');
    expect(await scene.readyz()).toBe(503);
    scene.github.faults.clear();
    await eventually(async () => expect(await scene.readyz()).toBe(200));
    expect(await scene.ask()).toEqual({ number: 2, active: true });
  });

  it('readiness waits no longer than firstSyncTimeoutSeconds; the number still waits', async (test) => {
    const scene = await Scene.start(test, {
      limits: { firstSyncTimeoutSeconds: 1 },
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(2));
        github.faults.hang = true;
      },
    });
    await eventually(async () => expect(await scene.readyz()).toBe(200));
    expect(await scene.checks()).toEqual({ serving: true, synced: false, syncTimedOut: true });
    const unknown = { number: 'UNAVAILABLE', active: 'UNAVAILABLE' };
    expect(await scene.ask()).toEqual(unknown);
    scene.github.faults.clear();
    await scene.becomes(2);
    await eventually(async () => expect(await scene.checks()).toEqual({ serving: true, synced: true }));
  });

  it('repositories named by triggers are read and known before the rest', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        for (let i = 0; i < 30; i += 1) github.addRepo(`repo-${i}`);
        github.seedRun('repo-29', run(2));
        github.faults.status('/repos/acme/repo-0/', 502);
      },
    });
    await scene.becomes(2, { repos: 'repo-29' });
    expect(await scene.ask()).toMatchObject({ number: 'UNAVAILABLE' });
    expect(await scene.readyz()).toBe(503);
    scene.github.faults.clear();
    await scene.becomes(2);
  });

  it('a webhook secret that is replaced while running: both are valid, then the new one; numbers are kept', async (test) => {
    const next = 'the next long secret';
    const scene = await Scene.start(test, { connection: patient, files: () => ({ next }) });
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(2));
    await scene.becomes(2);
    const polling = scene.poll(test);
    const both = { ...patient, webhookSecretFile: undefined, webhookSecretFiles: ['webhook-secret', 'next'] };
    await scene.reload(both);
    github.startRun('web', run(1));
    await scene.becomes(3);
    const url = `http://127.0.0.1:${scene.ingestPort}/ingest/github`;
    const hook = github.hook({ url, secret: next });
    github.startRun('web', run(1));
    await scene.becomes(4);
    await scene.reload({ ...patient, webhookSecretFile: 'next' });
    const refused = 'backlog_scaler_ingest_requests_total{kind="github",outcome="refused"}';
    const before = await scene.metric(refused);
    github.startRun('web', run(1));
    await scene.becomes(5);
    await github.delivered();
    expect(await scene.metric(refused)).toBeGreaterThan(before);
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
    github.unhook(hook);
  });

  it('a changed connection is opened again while GitHub hangs: known numbers are still served', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(2));
    await scene.becomes(2);
    const polling = scene.poll(test);
    github.faults.hang = true;
    await scene.reload({ ...hasty, requestTimeoutMs: 1000 });
    github.startRun('web', run(1));
    await eventually(async () => expect((await scene.ask()).active).toBe(true));
    github.faults.clear();
    await scene.becomes(3);
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
  });
});
