import { describe, expect, it } from 'vitest';
import { busyHistory, eventually, patient, run, Scene } from '../../support/github-scaler.ts';

/** Jobs that others miss, in the situations of the named issues. */
describe.concurrent('complaints: unseen jobs', () => {
  it('ARC#2788: a lost `queued` never scales: a sweep finds the job', async (test) => {
    const scene = await Scene.start(test);
    await scene.becomes(0);
    scene.github.loseDeliveries(() => true);
    scene.github.startRun('web', run(3));
    await scene.becomes(3);
  });

  it('ARC#2788: a lost `queued` is noticed as soon as its run is announced, long before a sweep', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    await scene.becomes(0);
    scene.github.loseDeliveries(({ event }) => event === 'workflow_job');
    scene.github.startRun('web', run(2));
    await scene.becomes(2);
  });

  it('ubicloud#1042: an `in_progress` without a `queued` shows that other jobs of its run were lost too', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    await scene.becomes(0);
    scene.github.loseDeliveries(({ action }) => action === 'queued' || action === 'requested');
    const { jobs } = scene.github.startRun('web', run(3));
    scene.github.pick(jobs[0]?.id ?? 0);
    await scene.becomes(3);
  });

  it('tuist#10878, tuist#10909: a delivery that failed is delivered again', async (test) => {
    const scene = await Scene.start(test, { connection: { ...patient, deliveriesSeconds: 1 } });
    await scene.becomes(0);
    scene.github.loseDeliveries(2, { statusCode: 502 });
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
    const asked = scene.github.requests.filter(
      ({ method, path }) => method === 'POST' && /attempts$/.test(path),
    );
    expect(asked.length).toBeGreaterThan(0);
  });

  it('ARC#2466, ARC#2254, ARC#911: a job that has been queued for 23 hours counts as on the first day', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', { ...run(1), createdAtMs: Date.now() - 23 * 3_600_000 });
      },
    });
    const { github } = scene;
    await scene.becomes(1);
    await verified(github, 3);
    await scene.becomes(1);
  });

  it('keda#7969, keda#8086: more than 100 jobs in a run are all seen, and their successors too', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(230));
      },
    });
    const { github } = scene;
    await scene.becomes(230);
    for (const { id } of github.openJobs().slice(0, 120)) github.complete(id, 'cancelled');
    await scene.becomes(110);
  });

  it('keda (page 1 only): more than 100 runs in a repository are all seen, also while runs end between pages', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        for (let i = 0; i < 250; i += 1) github.seedRun('web', run(1));
        github.faults.drift = 2;
      },
    });
    const { github } = scene;
    await scene.becomes(248);
    expect(github.openJobs()).toHaveLength(248);
  });

  it('keda (page 1 only): more than 100 repositories are all seen, a new one too', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        for (let i = 0; i < 120; i += 1) github.addRepo(`repo-${i}`);
        github.seedRun('repo-0', run(1));
        github.seedRun('repo-119', run(1));
      },
    });
    const { github } = scene;
    await scene.becomes(2);
    github.addRepo('newest');
    github.seedRun('newest', run(1));
    await scene.becomes(3);
  });

  it('keda#5788, ARC#2723: a run that waits for an approval does not hide its queued jobs', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        busyHistory(github);
        const jobs = [
          { labels: ['self-hosted'], status: 'waiting' as const },
          { labels: ['self-hosted'] },
          { labels: ['self-hosted'], status: 'in_progress' as const },
        ];
        github.seedRun('web', { jobs });
      },
    });
    const { github } = scene;
    await scene.becomes(2);
    const waiting = github.openJobs().find(({ status }) => status === 'waiting');
    github.approve(waiting?.id ?? 0);
    await scene.becomes(3);
  });

  it('keda (waiting, pending, requested runs): a run held back by its concurrency group counts after its release', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    await scene.becomes(0);
    const { id } = scene.github.startRun('web', { ...run(2), status: 'pending' });
    await scene.github.delivered();
    await scene.becomes(0);
    scene.github.release(id);
    await scene.becomes(2);
  });

  it('keda#7949: kept answers for one run are never used for another', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(1, ['self-hosted', 'gpu']));
        github.seedRun('web', run(2, ['self-hosted']));
        github.seedRun('web', run(4, ['windows']));
      },
    });
    const { github } = scene;
    await scene.becomes(2);
    const gpu = { labels: 'gpu' };
    await scene.becomes(3, gpu);
    const { notModified } = github.recorder;
    await eventually(() => expect(github.recorder.notModified).toBeGreaterThan(notModified + 12));
    await scene.becomes(3, gpu);
    github.loseDeliveries(() => true);
    for (const { id, labels } of github.openJobs()) if (labels.includes('gpu')) github.complete(id);
    await scene.becomes(2, gpu);
    await scene.becomes(4, { labels: 'windows', noDefaultLabels: 'true' });
  });

  it('ARC#4027: jobs queued while the scaler was down are there after a restart', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    await scene.becomes(0);
    await scene.stop();
    scene.github.startRun('web', run(2));
    await scene.again();
    await scene.becomes(2);
  });
});

/** Resolves after this many more requests for jobs. */
async function verified(github: Scene['github'], times: number): Promise<void> {
  const asked = () => github.requests.filter(({ path }) => path.includes('/jobs')).length;
  const before = asked();
  await eventually(() => expect(asked()).toBeGreaterThanOrEqual(before + times));
}
