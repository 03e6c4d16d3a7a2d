import { describe, expect, it } from 'vitest';
import type { Job } from '../../../fakes/github/world/job.ts';
import { jobsToCreate, type ScaledJobStrategy, scaledJobDefaults } from '../../../src/scaling/scaled-job.ts';
import { eventually, type Metadata, patient, run, Scene, type Test } from '../../support/github-scaler.ts';

/** KEDA's loop over a ScaledJob: the Jobs it creates at each poll, and their ephemeral runners. */
class ScaledJob {
  created = 0;
  /** Runners that have not registered yet. KEDA calls their Jobs pending. */
  private pending = 0;
  private readonly running = new Set<Job>();
  private readonly scene: Scene;
  private readonly metadata: Metadata;
  private readonly strategy: ScaledJobStrategy;
  private readonly maxReplicaCount: number;

  constructor(
    scene: Scene,
    {
      metadata,
      strategy,
      maxReplicaCount = 100,
    }: { metadata: Metadata; strategy: ScaledJobStrategy; maxReplicaCount?: number },
  ) {
    this.scene = scene;
    this.metadata = metadata;
    this.strategy = strategy;
    this.maxReplicaCount = maxReplicaCount;
  }

  /** Waits for all webhooks first, because an earlier poll would see the state before them. */
  async poll(): Promise<number> {
    const { github } = this.scene;
    await github.delivered();
    let value = 0;
    await eventually(async () => {
      const { number, active } = await this.scene.ask(this.metadata);
      expect(number).toBe(this.expected);
      expect(active).toBe(this.expected > 0);
      value = this.expected;
    });
    const { strategy, pending, maxReplicaCount } = this;
    const alive = pending + this.running.size;
    const poll = { isActive: value > 0, value, target: 1, running: alive, pending };
    const created = jobsToCreate({ ...scaledJobDefaults, strategy, maxReplicaCount }, poll);
    this.created += created;
    this.pending += created;
    return created;
  }

  /** This many runners start, and each takes a job. */
  register(count: number): void {
    for (const job of this.queued.slice(0, Math.min(count, this.pending))) {
      this.pending -= 1;
      this.scene.github.pick(job.id);
      this.running.add(job);
    }
  }

  /** This many runners end with their job. */
  finish(count: number): void {
    for (const job of [...this.running].slice(0, count)) {
      this.scene.github.complete(job.id);
      this.running.delete(job);
    }
  }

  get idle(): boolean {
    return this.running.size === 0 && this.queued.length === 0;
  }

  private get queued(): Job[] {
    return this.scene.github.openJobs().filter(({ status }) => status === 'queued');
  }

  private get expected(): number {
    return this.metadata['count'] === 'queued' ? this.queued.length : this.scene.jobs;
  }
}

const ways = [
  { name: 'default, count queued+running', strategy: { kind: 'default' }, metadata: {} },
  { name: 'accurate, count queued', strategy: { kind: 'accurate' }, metadata: { count: 'queued' } },
] as const;

async function start(test: Test): Promise<Scene> {
  const scene = await Scene.start(test, { connection: patient });
  await scene.becomes(0);
  return scene;
}

describe.concurrent('ScaledJob, which KEDA only polls', () => {
  for (const { name, strategy, metadata } of ways) {
    it(`${name}: as many Jobs as jobs, however they are picked up (keda#6994, keda#5163, keda#4788, keda#5605)`, async (test) => {
      const scene = await start(test);
      const job = new ScaledJob(scene, { metadata, strategy });
      expect(await job.poll()).toBe(0);
      const matrix = scene.github.startRun('web', { ...run(6), jobsToCome: 3 });
      expect(await job.poll()).toBe(6);
      expect(await job.poll()).toBe(0);
      job.register(1);
      expect(await job.poll()).toBe(0);
      job.register(3);
      job.finish(2);
      for (let i = 0; i < 3; i += 1) scene.github.addJob(matrix.id, { labels: ['self-hosted'] });
      expect(await job.poll()).toBe(3);
      for (let turns = 0; turns < 20 && !job.idle; turns += 1) {
        job.register(2);
        expect(await job.poll()).toBe(0);
        job.finish(1);
        expect(await job.poll()).toBe(0);
      }
      expect(job.idle).toBe(true);
      expect(job.created).toBe(9);
    });

    it(`${name}: a matrix of 150 over 40 replicas is worked off without one Job too many`, async (test) => {
      const scene = await start(test);
      const job = new ScaledJob(scene, { metadata, strategy, maxReplicaCount: 40 });
      scene.github.startRun('web', run(150));
      for (let turns = 0; turns < 40 && !(job.idle && job.created >= 150); turns += 1) {
        await job.poll();
        job.register(25);
        await job.poll();
        job.finish(20);
      }
      expect(job.idle).toBe(true);
      expect(job.created).toBe(150);
    });
  }

  it('keda#6994: accurate with queued+running creates Jobs for jobs that have a runner already, so use `count: queued`', async (test) => {
    const scene = await start(test);
    const wrong = new ScaledJob(scene, { metadata: {}, strategy: { kind: 'accurate' } });
    scene.github.startRun('web', run(2));
    expect(await wrong.poll()).toBe(2);
    wrong.register(2);
    expect(await wrong.poll()).toBe(2);
    const right = new ScaledJob(scene, { metadata: { count: 'queued' }, strategy: { kind: 'accurate' } });
    expect(await right.poll()).toBe(0);
  });

  it('polled all the time, it costs GitHub nothing', async (test) => {
    const scene = await start(test);
    await eventually(async () => expect(await scene.readyz()).toBe(200));
    const job = new ScaledJob(scene, ways[1]);
    const before = scene.github.requests.filter(({ path }) => path.startsWith('/repos')).length;
    scene.github.startRun('web', run(5));
    for (let i = 0; i < 100; i += 1) await job.poll();
    expect(job.created).toBe(5);
    expect(scene.github.requests.filter(({ path }) => path.startsWith('/repos')).length).toBe(before);
  });
});
