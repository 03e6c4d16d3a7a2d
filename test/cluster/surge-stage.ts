import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { at, type Manifest } from '../chart/helm.ts';
import type { TestKafka } from '../support/kafka/broker.ts';
import { makeNamespace } from './objects.ts';
import { OldContract } from './old-contract.ts';
import { Release } from './release.ts';
import { Replicas } from './replicas.ts';
import { makeScaledObject } from './scaled.ts';
import { Scaler } from './scaler.ts';
import type { Row, Way } from './surge-rows.ts';
import type { RunningCluster } from './use-cluster.ts';

/** Records that one replica is good for. */
const lagThreshold = 10;
/** What a second trigger asks for, of what the first does. */
const secondShare = 0.4;
/**
 * From one workload of a row to the next, at the least; as much again by chance, so that the clock of the HPA is met
 * anywhere. In it KEDA's client has its burst of requests again, which the surge before has used up.
 */
const pauseMs = 2000;
const settleLimitMs = 120_000;
/** KEDA asks the API about ten times for a new ScaledObject, 20 times a second in all. */
const settleEachMs = 1000;
/** KEDA allows itself 20 requests a second; after them it has its burst again. */
const quietMs = 8000;
/** The HPA alone needs eight looks to 100, of 15 s each, after a poll of 30 s. */
const reachLimitMs = 170_000;
/** From the last replica on until four of five records are done. */
const fallMs = 1000;
/** Two looks of the HPA, and more. */
const holdMs = 35_000;

/** What became of a workload since its records were there. */
export interface Ran {
  /** Until the first replica; not a number where it did not come. */
  readonly toOneMs: number;
  readonly toAllMs: number;
  /** All numbers of replicas, in turn. */
  readonly path: readonly number[];
  /** How often the spec of its HPA has changed; 0 where HPAs have no generation. */
  readonly changes: number;
  /** What its HPA asks for per replica in the end, by trigger. */
  readonly targets: readonly string[];
}

export type Played = Partial<Record<Way, readonly Ran[]>>;

interface Workload {
  readonly name: string;
  /** Of each trigger; a consumer group has the name of its topic. */
  readonly topics: readonly string[];
}

interface Parts {
  readonly cluster: RunningCluster;
  readonly kafka: TestKafka;
  readonly namespace: string;
  readonly release: Release;
  readonly scaler: Scaler;
  readonly old: OldContract;
}

/** A scaler of the chart, and a namespace whose workloads get records. */
export class Stage {
  readonly scaler: Scaler;
  private readonly parts: Parts;
  private readonly replicas: Replicas;
  private streams = 0;

  /** `config`: what the scaler's has beside its connections. */
  static async set(
    cluster: RunningCluster,
    kafka: TestKafka,
    { name, config = {} }: { readonly name: string; readonly config?: Manifest },
  ): Promise<Stage> {
    const { api } = cluster;
    const namespace = await makeNamespace(api, name);
    const scalers = await makeNamespace(api, `${name}-scalers`, { restricted: true });
    const release = new Release(cluster, 'helm-4', scalers);
    const scaler = await Scaler.prepare(api, scalers, { kafka: kafka.cluster.bootstrap.plain, config });
    await release.apply(scaler.values, '--wait', '--timeout', '60s');
    const old = await OldContract.start(scaler.ports.grpc);
    return new Stage({ cluster, kafka, namespace, release, scaler, old });
  }

  private constructor(parts: Parts) {
    this.parts = parts;
    this.scaler = parts.scaler;
    this.replicas = new Replicas(parts.cluster.api, parts.namespace);
  }

  /** The lines with these words that the scaler has logged so far. */
  logged(words: string): string[] {
    const lines = this.parts.cluster.kubelet.log(this.parts.release.namespace).split('\n');
    return lines.filter((line) => line.includes(words));
  }

  async strike(): Promise<void> {
    this.replicas.stop();
    this.parts.old.stop();
    await this.parts.release.uninstall();
  }

  /**
   * Makes the workloads of a row, lets them get their records, and resolves when all but KEDA's own have their replicas.
   * `amid` is called when they have the records. What it resolves with takes longer: KEDA's own, and a look at what the HPAs hold.
   */
  async play(row: Row, amid?: () => Promise<void>): Promise<{ readonly end: Promise<Played> }> {
    const ways: { way: Way; workloads: Workload[] }[] = [];
    for (const way of row.ways) ways.push({ way, workloads: await this.prepare(row, way) });
    await this.settled(ways.flatMap(({ workloads }) => workloads));
    const ends: { way: Way; end: Promise<Ran[]> }[] = [];
    const begin = ({ way, workloads }: (typeof ways)[number]) => {
      const begun = workloads.map((workload, index) => this.run(row, way, workload, index));
      ends.push({ way, end: Promise.all(begun.map(({ end }) => end)) });
      return way === 'keda' ? [] : begun.map(({ reached }) => reached);
    };
    if (row.atOnce) for (const each of ways) await Promise.all(begin(each));
    else await Promise.all([...ways.flatMap(begin), amid?.()]);
    const end = Promise.all(ends.map(async ({ way, end }) => [way, await end] as const));
    return { end: end.then((entries) => Object.fromEntries(entries)) };
  }

  private async prepare({ name, workloads, ...row }: Row, way: Way): Promise<Workload[]> {
    const { cluster, kafka, namespace } = this.parts;
    const made: Workload[] = [];
    for (let index = 0; index < workloads; index++) {
      const topics: string[] = [];
      for (let count = 0; count < (row.triggers ?? 1); count++) {
        const topic = await kafka.createTopic();
        await kafka.commit(topic, topic, { 0: 0 });
        // The client learns of the topic now, and not of hundreds while their records are to go out.
        await kafka.producer.send({ topic, messages: [] });
        topics.push(topic);
      }
      const workload = { name: `${name}-${way}-${index}`, topics };
      await makeScaledObject(cluster.api, {
        namespace,
        name: workload.name,
        trigger: topics.map((topic) => this.trigger(way, topic)),
        minReplicaCount: row.from ?? 0,
        maxReplicaCount: 2 * row.to,
        running: false,
        ...(row.behavior && { behavior: row.behavior }),
      });
      made.push(workload);
    }
    if (way !== 'keda') this.streams += made.flatMap(({ topics }) => topics).length;
    return made;
  }

  private trigger(way: Way, topic: string): Manifest {
    const spec = {
      consumerGroup: topic,
      topic,
      lagThreshold: String(lagThreshold),
      // A topic here has one partition.
      allowIdleConsumers: 'true',
    };
    const { scaler, old, kafka } = this.parts;
    switch (way) {
      case 'nudged':
        return scaler.kafkaTrigger(spec);
      case 'pushed':
        return scaler.kafkaTrigger({ ...spec, surge: 'false' });
      case 'old':
        return scaler.kafkaTrigger(spec, old.port);
      case 'keda':
        return {
          type: 'apache-kafka',
          metadata: { ...spec, bootstrapServers: kafka.cluster.bootstrap.plain.join() },
        };
    }
  }

  /**
   * Until KEDA has opened its streams and has nothing to do, and each HPA has looked once: a new one would take what it
   * finds for its own doing.
   */
  private async settled(workloads: readonly Workload[]): Promise<void> {
    const timeout = settleLimitMs + workloads.length * settleEachMs;
    await expect.poll(() => this.scaler.streams('StreamIsActive'), { timeout }).toBe(this.streams);
    for (const { name } of workloads) {
      const conditions = async () => at(await this.hpa(name), 'status', 'conditions');
      await expect.poll(conditions, { timeout, interval: 500 }).toBeDefined();
    }
    const { keda } = this.parts.cluster;
    let before: number;
    do {
      before = keda.reconciles();
      await sleep(quietMs);
    } while (keda.reconciles() > before);
  }

  private run(
    { to, atOnce }: Row,
    way: Way,
    { name, topics }: Workload,
    index: number,
  ): { readonly reached: Promise<unknown>; readonly end: Promise<Ran> } {
    const { kafka } = this.parts;
    const records = topics.map((_, nth) => Math.round(lagThreshold * to * (nth === 0 ? 1 : secondShare)));
    const begun = (async () => {
      if (!atOnce) await sleep((2 * index + Math.random()) * pauseMs);
      const before = generationOf(await this.hpa(name));
      const seen = this.replicas.of(name).length;
      await Promise.all(topics.map((topic, nth) => kafka.produce(topic, records[nth])));
      return { before, seen, sentAtMs: performance.now() };
    })();
    const reached = begun.then(async ({ seen, sentAtMs }) => {
      const all = () => this.replicas.reachedAfter(name, to, seen);
      while (all() === undefined && performance.now() < sentAtMs + reachLimitMs) await sleep(10);
    });
    const end = reached.then(async () => {
      const { before, seen, sentAtMs } = await begun;
      if (way !== 'keda') {
        await sleep(fallMs);
        for (const [nth, topic] of topics.entries())
          await kafka.commit(topic, topic, { 0: (records[nth] ?? 0) * 0.8 });
        await sleep(holdMs);
      }
      const hpa = await this.hpa(name);
      const path = this.replicas.of(name).slice(seen);
      const since = (atMs = Number.NaN) => atMs - sentAtMs;
      return {
        toOneMs: since(this.replicas.reachedAfter(name, 1, seen)),
        toAllMs: since(this.replicas.reachedAfter(name, to, seen)),
        path: path.map(({ replicas }) => replicas),
        changes: generationOf(hpa) - before,
        targets: topics.map((_, nth) =>
          String(at(hpa, 'spec', 'metrics', nth, 'external', 'target', 'averageValue')),
        ),
      };
    });
    return { reached, end };
  }

  private hpa(name: string): Promise<Manifest> {
    const { cluster, namespace } = this.parts;
    const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/keda-hpa-${name}`;
    return cluster.api.get(path).catch(() => ({}));
  }
}

function generationOf(hpa: Manifest): number {
  return Number(at(hpa, 'metadata', 'generation') ?? 0);
}
