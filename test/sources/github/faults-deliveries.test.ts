import { describe, expect, it } from 'vitest';
import { eventually, patient, run, Scene } from '../../support/github-scaler.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

describe.concurrent('faults: webhooks', { timeout: 120_000 }, () => {
  it('a week-old redelivery of a job that is long over never counts', async (test) => {
    let clockMs = Date.now() - 7 * dayMs;
    const scene = await Scene.start(test, {
      github: { now: () => clockMs },
      connection: patient,
      before: (github) => {
        github.addRepo('web');
        const { jobs } = github.startRun('web', run(3));
        for (const { id } of jobs) {
          github.pick(id);
          github.complete(id);
        }
        clockMs = Date.now();
      },
    });
    const { github } = scene;
    await scene.becomes(0);
    const polling = scene.poll(test);
    const asked = () => github.requests.filter(({ path }) => /\/jobs/.test(path)).length;
    const before = asked();
    for (const guid of github.guids(({ action }) => action === 'queued')) github.redeliver(guid);
    await github.delivered();
    // It is read once for the run, not for each job.
    await eventually(() => expect(asked()).toBeGreaterThan(before));
    await scene.becomes(0);
    const answers = await polling.stop();
    expect(answers.filter(({ number }) => number !== 0)).toEqual([]);
  });

  it('a redelivery that is 20 minutes late counts once GitHub has confirmed it', async (test) => {
    let clockMs = Date.now() - 20 * minuteMs;
    const scene = await Scene.start(test, { github: { now: () => clockMs }, connection: patient });
    const { github } = scene;
    await scene.becomes(0);
    github.loseDeliveries(() => true);
    github.startRun('web', run(2));
    clockMs = Date.now();
    for (const guid of github.guids(({ action }) => action === 'queued')) github.redeliver(guid);
    await scene.becomes(2);
  });

  it('REST lags behind the webhooks: what it still shows takes nothing back', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    github.faults.lagMs = 3000;
    const [first] = github.startRun('web', run(2)).jobs;
    await scene.becomes(2);
    const polling = scene.poll(test);
    github.pick(first?.id ?? 0);
    await scene.becomes(1, { count: 'queued' });
    const before = github.requests.length;
    await eventually(() => expect(github.requests.length).toBeGreaterThan(before + 10));
    await scene.becomes(1, { count: 'queued' });
    const answers = await polling.stop();
    expect(answers.filter(({ number }) => number !== 2)).toEqual([]);
    github.complete(first?.id ?? 0);
    await scene.becomes(1);
  });

  it('all deliveries lost for a while, in every direction: the number is GitHub’s again', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    for (let i = 0; i < 10; i += 1) github.startRun('web', run(3));
    await scene.becomes(30);
    github.loseDeliveries(() => true);
    github.openJobs().forEach(({ id, run: { id: runId } }, index) => {
      if (index % 4 === 0) github.pick(id);
      if (index % 4 === 1) github.complete(id, 'failure');
      if (index % 12 === 2) github.cancelRun(runId);
    });
    for (const { id, status } of github.world.runs.values())
      if (status === 'completed') github.rerunFailed(id);
    github.ghostRun('web');
    expect(scene.jobs).not.toBe(30);
    await scene.agrees();
    github.mendDeliveries();
    github.startRun('web', run(1));
    await scene.agrees();
  });
});
