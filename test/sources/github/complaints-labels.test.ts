import { describe, expect, it } from 'vitest';
import { patient, run, Scene } from '../../support/github-scaler.ts';

describe.concurrent('complaints: jobs for other runners', () => {
  const byWebhooks = { connection: patient };
  const linuxGpu = { labels: 'gpu' };

  it('ARC#642, terraform#2404: one label in common is not enough: a runner must have them all', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    await scene.becomes(0);
    scene.github.startRun('web', run(1, ['self-hosted', 'gpu', 'huge']));
    scene.github.startRun('web', run(1, ['gpu', 'self-hosted']));
    await scene.becomes(1, linuxGpu);
    await scene.becomes(2, { labels: 'gpu,huge' });
    await scene.becomes(0, { labels: 'huge' });
  });

  it('ARC#951: labels that every runner has need not be listed, in any case of letters', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    await scene.becomes(0);
    scene.github.startRun('web', run(1, ['Self-Hosted', 'Linux', 'X64', 'GPU']));
    await scene.becomes(1, linuxGpu);
    await scene.becomes(0, { ...linuxGpu, noDefaultLabels: 'true' });
  });

  it('keda (linux and x64 are fixed): runners on ARM and Windows count with the labels they register', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    await scene.becomes(0);
    scene.github.startRun('web', run(1, ['self-hosted', 'linux', 'ARM64']));
    scene.github.startRun('web', run(1, ['self-hosted', 'windows', 'x64']));
    await scene.becomes(0);
    await scene.becomes(1, { defaultLabels: 'self-hosted,Linux,ARM64' });
    await scene.becomes(1, { defaultLabels: 'self-hosted,Windows,X64' });
  });

  it('ARC#703, ARC#964: a pool by name leaves jobs for `self-hosted` alone to others', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    await scene.becomes(0);
    scene.github.startRun('web', run(3, ['self-hosted']));
    scene.github.startRun('web', run(1, ['pool-a']));
    await scene.becomes(1, { labels: 'pool-a', noDefaultLabels: 'true' });
    await scene.becomes(0, { labels: 'pool-b', noDefaultLabels: 'true' });
    await scene.becomes(3);
  });

  it('terraform#3643, ARC#922, ARC#1370: jobs of a runner group, which have no labels, go to a trigger that wants them', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    await scene.becomes(0);
    scene.github.startRun('web', run(2, []));
    const strict = { matchUnlabeledJobsWithUnlabeledRunners: 'true' };
    await scene.becomes(2, strict);
    await scene.becomes(0, { ...strict, ...linuxGpu });
    await scene.becomes(2, linuxGpu);
  });

  it('keda (activation by the target): three jobs wake a workload whose replicas handle five', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const five = { targetWorkflowQueueLength: '5' };
    await scene.becomes(0, five);
    scene.github.startRun('web', run(3));
    await scene.becomes(3, five);
    expect(await scene.ask({ ...five, activationTargetWorkflowQueueLength: '3' })).toEqual({
      number: 3,
      active: false,
    });
  });

  it('keda#1732: only repositories named by a trigger count for it', async (test) => {
    const scene = await Scene.start(test, {
      ...byWebhooks,
      before: (github) => {
        for (const name of ['web', 'api', 'docs']) github.addRepo(name);
        github.seedRun('docs', run(4));
      },
    });
    await scene.becomes(0, { repos: 'web,api' });
    scene.github.startRun('api', run(2));
    await scene.becomes(2, { repos: 'web,API' });
    await scene.becomes(0, { repos: 'acme/web' });
    await scene.becomes(6);
  });
});
