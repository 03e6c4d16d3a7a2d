import { describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { busyHistory, eventually, patient, run, Scene } from '../../support/github-scaler.ts';

/** Counters that events move up and down drift. A ledger by job ID cannot. By default without REST. */
describe.concurrent('complaints: numbers that drift', () => {
  const byWebhooks = { connection: patient };

  it('ARC#4315: a re-run that reports its old successes as completed again does not lower the number', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    const { id, jobs } = github.startRun('web', run(6));
    jobs.forEach((job, index) => {
      github.pick(job.id);
      github.complete(job.id, index === 0 ? 'failure' : 'success');
    });
    const other = github.startRun('web', run(1)).jobs[0];
    await scene.becomes(1);
    const polling = scene.poll(test);
    github.rerunFailed(id);
    await scene.becomes(2);
    expect(tooLow(await polling.stop(), 1)).toEqual([]);
    github.complete(other?.id ?? 0);
    await scene.becomes(1);
  });

  it('ARC#2306, ARC#2073: any order, every event twice: the number is that of the jobs', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    github.shuffle(100, 7);
    for (let i = 0; i < 15; i += 1) {
      const { jobs } = github.startRun('web', run(4));
      const [first, second, third] = jobs.map((job) => job.id);
      for (const job of [first, second, third]) github.pick(job ?? 0);
      github.complete(first ?? 0);
      github.complete(second ?? 0, 'failure');
    }
    await github.delivered();
    for (const guid of github.guids()) github.redeliver(guid);
    await github.delivered();
    expect(scene.jobs).toBe(30);
    await scene.agrees();
  });

  it('ARC#1547: after a thousand jobs nothing is left', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    for (let i = 0; i < 50; i += 1) github.startRun('web', run(20));
    await scene.becomes(1000);
    for (const { id } of github.openJobs()) {
      github.pick(id);
      github.complete(id);
    }
    await scene.becomes(0);
  });

  it('ARC#1326, ARC#1370: a skipped job, which has no labels, removes nothing', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(2));
    const needy = github.startRun('web', { jobs: [], jobsToCome: 3 });
    await scene.becomes(2);
    for (let i = 0; i < 3; i += 1) {
      const job = github.addJob(needy.id, { labels: ['self-hosted'], status: 'pending' });
      github.skip(job.id);
    }
    await github.delivered();
    await scene.becomes(2);
  });

  it('ARC#1962, ARC#2520: a storm of cancelled jobs, which had no runner, removes exactly those', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(3));
    const cancelled = Array.from({ length: 10 }, () => github.startRun('web', run(20)));
    await scene.becomes(203);
    const polling = scene.poll(test);
    for (const { id } of cancelled) github.cancelRun(id);
    await scene.becomes(3);
    expect(tooLow(await polling.stop(), 3)).toEqual([]);
  });

  it('terraform#3130, terraform#5026, CloudSnorkel#974: a runner that takes another job than intended leaves its own counted', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    const [earlier] = github.startRun('web', run(1)).jobs;
    await scene.becomes(1);
    const [later] = github.startRun('web', run(1)).jobs;
    await scene.becomes(2);
    github.pick(later?.id ?? 0, 'made-for-the-earlier');
    await scene.becomes(1, { count: 'queued' });
    github.complete(later?.id ?? 0);
    await scene.becomes(1);
    await scene.becomes(1, { count: 'queued' });
    github.complete(earlier?.id ?? 0);
    await scene.becomes(0);
  });

  it('ARC#4397: what an incident left behind ends when GitHub says so by REST', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(5));
    await scene.becomes(5);
    github.loseDeliveries(() => true);
    for (const { id } of github.openJobs()) {
      github.pick(id);
      github.complete(id);
    }
    await scene.becomes(0);
  });

  it('ARC#4397: the `completed` of a run makes up for a lost `completed` of its job', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(5));
    await scene.becomes(5);
    github.loseDeliveries(({ event, action }) => event === 'workflow_job' && action === 'completed');
    for (const { id } of github.openJobs()) github.complete(id);
    await scene.becomes(0);
  });

  it('keda (a run in both lists): a run that advances between two lists counts once', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        busyHistory(github);
        for (let i = 0; i < 3; i += 1) github.seedRun('web', run(2));
        github.loseDeliveries(() => true);
        // As soon as a list has been read, its jobs advance, so that the run is in the next list too.
        github.observe(({ path, query }) => {
          if (!path.endsWith('/actions/runs') || query.get('status') !== 'queued') return;
          for (const { id, status } of github.openJobs()) if (status === 'queued') github.pick(id);
        });
      },
    });
    await scene.becomes(6);
    const polling = scene.poll(test);
    const before = scene.github.requests.length;
    await eventually(() => expect(scene.github.requests.length).toBeGreaterThan(before + 20));
    const answers = await polling.stop();
    expect(answers.filter(({ number }) => number !== 6)).toEqual([]);
  });

  it('CloudSnorkel#416, CloudSnorkel#380: a job that is `queued` twice, when created and when approved, counts once', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    const [job] = github.startRun('web', { jobs: [{ labels: ['self-hosted'], environment: true }] }).jobs;
    await github.delivered();
    await scene.becomes(0);
    github.approve(job?.id ?? 0);
    await scene.becomes(1);
    github.pick(job?.id ?? 0);
    await github.delivered();
    await scene.becomes(1);
  });

  it('runs-on#539, runs-on#386: a `waiting` that comes after the `queued` of the approval blocks nothing', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    github.holdDeliveries();
    const [job] = github.startRun('web', { jobs: [{ labels: ['self-hosted'], environment: true }] }).jobs;
    github.approve(job?.id ?? 0);
    github.releaseDeliveries((items) => items.reverse());
    await scene.becomes(1);
  });

  it('go-github#2706, github_exporter#296: completed, in_progress, queued in this order is an ended job', async (test) => {
    const scene = await Scene.start(test, byWebhooks);
    const { github } = scene;
    await scene.becomes(0);
    github.holdDeliveries();
    const [job] = github.startRun('web', run(1)).jobs;
    github.pick(job?.id ?? 0);
    github.complete(job?.id ?? 0);
    github.releaseDeliveries((items) => items.reverse());
    github.startRun('web', run(1));
    await scene.becomes(1);
    await github.delivered();
    await scene.becomes(1);
  });

  it('actions/runner#3872: runs that are queued for weeks without a job do not count', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        for (let i = 0; i < 18; i += 1) github.ghostRun('web', Date.now() - 30 * 86_400_000);
        github.seedRun('web', run(1));
      },
    });
    await scene.becomes(1);
    scene.github.complete(scene.github.openJobs()[0]?.id ?? 0);
    await scene.becomes(0);
  });
});
