import { describe, expect, it } from 'vitest';
import type { Faults } from '../../../fakes/github/faults.ts';
import { tooLow } from '../../support/github-keda.ts';
import { eventually, hasty, run, Scene } from '../../support/github-scaler.ts';
import { jobPayload, send } from '../../support/github-webhooks.ts';

/** An hour at GitHub takes three seconds here, because the trigger's staleness limit is short. */
const shortLived = { maxStalenessSeconds: '3' };

interface Fault {
  readonly name: string;
  readonly of: Partial<Faults>;
  readonly why: RegExp;
  readonly asDescribed?: boolean;
}

const faults: readonly Fault[] = [
  { name: 'answers 503', of: { down: true }, why: /answers 503/ },
  { name: 'does not answer', of: { hang: true }, why: /does not answer within/ },
  { name: 'resets connections', of: { reset: true }, why: /closed the connection/ },
  {
    name: 'answers with pages for people',
    of: { garbage: true },
    why: /unexpected answer/,
    asDescribed: false,
  },
];

describe.concurrent('faults: REST', { timeout: 120_000 }, () => {
  for (const { name, of, asDescribed = true, why } of faults) {
    it(`GitHub ${name} for an hour: numbers grow too old, are never 0, and are right again afterwards`, async (test) => {
      const scene = await Scene.start(test, {
        connection: { ...hasty, requestTimeoutMs: 1000 },
        asDescribed,
      });
      const { github, scaler } = scene;
      await scene.becomes(0, shortLived);
      github.startRun('web', run(2));
      await scene.becomes(2, shortLived);
      const [polling, lasting] = [scene.poll(test, shortLived), scene.poll(test)];
      Object.assign(github.faults, of);
      await scene.becomesUnknown('UNAVAILABLE', shortLived, /old, more than maxStalenessSeconds/);
      await eventually(() => expect(JSON.stringify(scaler.log.lines)).toMatch(why));
      // Webhooks still arrive, wake and count.
      github.startRun('web', run(1));
      await scene.becomes(3);
      github.loseDeliveries(() => true);
      github.startRun('web', run(1));
      expect(tooLow(await polling.stop(), 2)).toEqual([]);
      expect(tooLow(await lasting.stop(), 2)).toEqual([]);
      github.faults.clear();
      await scene.becomes(4, shortLived);
    });
  }

  it('GitHub is down from the start: UNAVAILABLE until it has been read, but webhooks still cause edges', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(1));
        github.faults.down = true;
      },
    });
    const { github, scaler } = scene;
    const stream = scaler.client.streamIsActive(scene.trigger());
    await scene.becomesUnknown('UNAVAILABLE', {}, /503/);
    const polling = scene.poll(test);
    github.startRun('web', run(2));
    expect(await stream.next()).toEqual({ result: true });
    await eventually(async () => expect(await scene.ask()).toEqual({ number: 'UNAVAILABLE', active: true }));
    github.faults.clear();
    await scene.becomes(3);
    expect(tooLow(await polling.stop(), 3)).toEqual([]);
  });

  it('an edge is pushed while GitHub is down, though the number has grown too old', async (test) => {
    const scene = await Scene.start(test);
    await scene.becomes(0, shortLived);
    const stream = scene.scaler.client.streamIsActive(scene.trigger(shortLived));
    expect(await stream.next()).toEqual({ result: false });
    scene.github.faults.down = true;
    await scene.becomesUnknown('UNAVAILABLE', shortLived);
    scene.github.startRun('web', run(1));
    expect(await stream.next()).toEqual({ result: true });
  });

  it('a deleted repository takes its jobs with it, and a trigger that names only it gets NOT_FOUND', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        for (const name of ['web', 'old']) github.addRepo(name);
        github.seedRun('web', run(1));
        github.seedRun('old', run(2));
      },
    });
    const old = { repos: 'old', ...shortLived };
    await scene.becomes(3);
    await scene.becomes(2, old);
    const polling = scene.poll(test, old);
    scene.github.removeRepo('old');
    await scene.becomes(1);
    await scene.becomes(1, { repos: 'old,web' });
    await scene.becomesUnknown('NOT_FOUND', old, 'GitHub does not know acme/old');
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
  });

  it('an unreadable run does not keep others from being read, and the number waits for it', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        for (const name of ['web', 'api']) github.addRepo(name);
        const { id } = github.seedRun('web', run(1));
        github.seedRun('web', run(1));
        github.seedRun('api', run(1));
        github.faults.status(`/runs/${id}/jobs`, 502);
      },
    });
    await scene.becomes(1, { repos: 'api' });
    await scene.becomesUnknown('UNAVAILABLE', { repos: 'docs' });
    const web = await scene.ask({ repos: 'web' });
    expect(web.number).toBe('UNAVAILABLE');
    scene.github.faults.clear();
    await scene.becomes(2, { repos: 'web' });
    await scene.becomes(3);
  });
});

describe.concurrent('faults: REST counts ten seconds after a webhook, because it lags', {
  timeout: 120_000,
}, () => {
  it('a lost `in_progress`, a lost `completed`, a lost `queued`: all right after a sweep', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    const { jobs } = github.startRun('web', run(4));
    await scene.becomes(4);
    const polling = scene.poll(test);
    github.loseDeliveries(() => true);
    const [first, second] = jobs;
    github.pick(first?.id ?? 0);
    github.pick(second?.id ?? 0);
    github.complete(second?.id ?? 0);
    github.startRun('web', run(2));
    await scene.becomes(5);
    await scene.becomes(4, { count: 'queued' });
    expect(tooLow(await polling.stop(), 3)).toEqual([]);
  });

  it('a gate that no webhook reports: the job counts until GitHub says that it waits', async (test) => {
    const scene = await Scene.start(test, { connection: { ...hasty, sweepSeconds: 900 } });
    const { github } = scene;
    await scene.becomes(0);
    github.loseDeliveries(() => true);
    const [job] = github.startRun('web', { jobs: [{ labels: ['self-hosted'], environment: true }] }).jobs;
    github.mendDeliveries();
    // GitHub reports the approval, and then takes it back.
    github.approve(job?.id ?? 0);
    await scene.becomes(1);
    github.world.setJob(github.world.job(job?.id ?? 0), {
      ...github.world.job(job?.id ?? 0).current,
      status: 'waiting',
    });
    await scene.becomes(0);
  });

  it('jobs of a webhook that GitHub does not know are dropped', async (test) => {
    const scene = await Scene.start(test);
    await scene.becomes(0);
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
    const polling = scene.poll(test);
    await send(scene.ingestPort, jobPayload('in_progress'));
    await send(scene.ingestPort, jobPayload('queued', { id: 900_000_002, run_id: 900_001 }));
    await eventually(() => expect(polling.answers).toContainEqual({ number: 3, active: true }));
    await scene.agrees();
    expect(tooLow(await polling.stop(), 1)).toEqual([]);
  });
});
