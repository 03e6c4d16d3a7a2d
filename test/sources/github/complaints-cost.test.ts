import { describe, expect, it } from 'vitest';
import { eventually, hasty, patient, run, Scene } from '../../support/github-scaler.ts';

describe.concurrent('complaints: limits that polling uses up', () => {
  it('ARC#206, keda#1732, keda#8086: many callers, however often they call, cause no more requests', async (test) => {
    const scene = await Scene.start(test, {
      connection: patient,
      before: (github) => {
        for (let i = 0; i < 20; i += 1) github.addRepo(`repo-${i}`);
        for (let i = 0; i < 10; i += 1) github.seedRun(`repo-${i}`, run(1));
      },
    });
    await scene.becomes(10);
    await eventually(async () => expect(await scene.readyz()).toBe(200));
    const before = scene.github.requests.length;
    for (let i = 0; i < 50; i += 1) {
      const asked = Array.from({ length: 20 }, (_, labels) => scene.ask({ labels: `pool-${labels}` }));
      for (const answer of await Promise.all(asked)) expect(answer).toEqual({ number: 10, active: true });
    }
    expect(scene.github.requests.length - before).toBeLessThanOrEqual(1);
  });

  it('ARC#206: a job from queue to end, reported by webhooks, costs no request', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    await scene.becomes(0);
    await eventually(async () => expect(await scene.readyz()).toBe(200));
    const before = scene.github.requests.filter(({ path }) => path.startsWith('/repos')).length;
    const { jobs } = scene.github.startRun('web', run(20));
    await scene.becomes(20);
    for (const { id } of jobs) {
      scene.github.pick(id);
      scene.github.complete(id);
    }
    await scene.becomes(0);
    const after = scene.github.requests.filter(({ path }) => path.startsWith('/repos')).length;
    expect(after).toBe(before);
  });

  it('keda#6503: a repository without changes costs nothing of the limit', async (test) => {
    const scene = await Scene.start(test, {
      connection: { ...hasty, deliveriesSeconds: 900 },
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(2));
      },
    });
    await scene.becomes(2);
    const { github } = scene;
    const before = github.recorder.notModified;
    await eventually(() => expect(github.recorder.notModified).toBeGreaterThan(before + 4));
    const paid = github.requests.filter(({ path, status }) => path.startsWith('/repos') && status !== 304);
    expect(paid.map(({ path }) => path)).toEqual([...new Set(paid.map(({ path }) => path))]);
    expect(
      await scene.metric('backlog_scaler_source_rate_limit_remaining{source="github",connection="ci"}'),
    ).toBeGreaterThan(4900);
  });
});
