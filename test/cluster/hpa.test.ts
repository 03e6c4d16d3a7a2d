import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { describe, expect, it, vi } from 'vitest';
import type { HpaMetric, HpaStep } from '../../src/scaling/hpa.ts';
import { at, type Manifest } from '../chart/helm.ts';
import {
  downscaleStabilizationSeconds,
  type Look,
  played,
  type Situation,
  situations,
} from '../support/hpa-situations.ts';
import { tool, useTool } from '../support/tools/use-tool.ts';
import type { Api } from './api.ts';
import { ControlPlane } from './control-plane.ts';
import { ExternalMetrics } from './external-metrics.ts';
import { aggregate } from './keda.ts';
import { makeNamespace } from './objects.ts';
import { podStatus } from './pod-status.ts';

const namespace = 'rows';
const limitMs = 120_000;
const mostTries = 3;
const wholeLimitMs = 20 * 60_000;
/** Most rows only wait for their windows. On a busy machine, all at once would block the API server. */
const atOnce = pLimit(24);
/** The controller sees pods by its own watch. A change just before a look may not be known there yet. */
const podsKnownMs = 2_000;

/** With the window. An HPA looks only when it is created or changed, and all of them at once. */
const controllerFlags = [
  `--horizontal-pod-autoscaler-downscale-stabilization=${downscaleStabilizationSeconds}s`,
  '--horizontal-pod-autoscaler-sync-period=1h',
  '--concurrent-horizontal-pod-autoscaler-syncs=20',
  '--kube-api-qps=1000',
  '--kube-api-burst=1000',
];

interface Stage {
  readonly api: Api;
  readonly metrics: ExternalMetrics;
  /** The newest HPAs, by name. */
  readonly hpas: ReadonlyMap<string, unknown>;
}

const stage = useStage();

describe("Kubernetes' HPA and the arithmetic", () => {
  it(
    `do the same in all of ${situations.length} situations`,
    async () => {
      const rows = await atOnce.map(situations, (row, index) => compared(stage(), row, `row-${index}`));
      const told = (of: keyof Compared) =>
        rows.map((both, index) => `${situations[index]?.name}: ${both[of]}`);
      expect(told('hpa')).toEqual(told('arithmetic'));
    },
    wholeLimitMs,
  );
});

interface Compared {
  readonly hpa: string;
  readonly arithmetic: string;
}

/**
 * A look counts from the request for its last metric, and the controller's own clock is a little later. On a busy
 * machine the end of a window can come in between. So a row that differs is played again, and only fails if it always
 * differs.
 */
async function compared(on: Stage, row: Situation, name: string): Promise<Compared> {
  for (let tries = 1; ; tries += 1) {
    const both = await comparedOnce(on, row, `${name}-${tries}`);
    if (both.hpa === both.arithmetic || tries === mostTries) return both;
    console.info(`${row.name} is played anew: the HPA did ${both.hpa}, the arithmetic ${both.arithmetic}`);
  }
}

async function comparedOnce(on: Stage, row: Situation, name: string): Promise<Compared> {
  const looks = await play(on, row, name);
  const steps = played(
    row,
    looks.map(({ atMs }) => atMs),
  );
  return { hpa: looks.map(said).join(', '), arithmetic: steps.map(saidOf(row)).join(', ') };
}

/** The result of a look of the controller. */
interface Looked {
  readonly atMs: number;
  /** Of the scale, after it. */
  readonly replicas: number;
  readonly desiredReplicas: number;
  /** How often the first metric was requested. */
  readonly asked: number;
  /** From its conditions: what limited it, or what is wrong. */
  readonly reason: string;
}

function said({ replicas, desiredReplicas, asked, reason }: Looked): string {
  // A failed look leaves the number of the one before.
  const desired = reason === 'unknown' ? replicas : desiredReplicas;
  return `${replicas} (desired ${desired}, ${reason}, asked ${asked} times)`;
}

/** The same from the arithmetic. */
function saidOf({ from, minReplicaCount = 0, maxReplicaCount = 100, looks }: Situation) {
  return ({ replicas, because }: HpaStep, index: number, steps: readonly HpaStep[]): string => {
    const found = looks[index]?.set ?? steps[index - 1]?.replicas ?? from;
    const isForced = found > maxReplicaCount || found < Math.max(1, minReplicaCount);
    const limits = ['min', 'max', 'scaleUpLimit', 'scaleDownLimit', 'unknown', 'disabled'];
    const reason = isForced && found > 0 ? 'forced' : limits.includes(because) ? because : 'free';
    return `${replicas} (desired ${replicas}, ${reason}, asked ${isForced ? 0 : 1} times)`;
  };
}

/**
 * Makes an HPA look as in the row. Nobody else changes replicas here: the workload is a ReplicationController without a
 * controller.
 */
async function play({ api, metrics, hpas }: Stage, row: Situation, name: string): Promise<Looked[]> {
  const workload = `/api/v1/namespaces/${namespace}/replicationcontrollers`;
  const autoscalers = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  await api.create(workload, replicationController(name, row.from));
  let replicas = row.from;
  let spec: Manifest | undefined;
  const looked: Looked[] = [];
  for (const [index, look] of row.looks.entries()) {
    const { atSeconds = 0, set, statusReplicas = set ?? replicas } = look;
    if (set !== undefined) await api.merge(`${workload}/${name}`, { spec: { replicas: set } });
    await api.merge(`${workload}/${name}/status`, { status: { replicas: statusReplicas } });
    await havePods(api, name, look, statusReplicas);
    await sleep(Math.max(0, (looked[0]?.atMs ?? 0) + atSeconds * 1000 - performance.now()));
    for (const [i, { value }] of look.metrics.entries()) metrics.say(`${name}-${i}`, value);
    const next = hpaSpec(row, name, look.metrics, '');
    // Without a change, no look comes.
    const isSame = JSON.stringify(next) === JSON.stringify(spec);
    spec = isSame ? hpaSpec(row, name, look.metrics, `${index}`) : next;
    const askedMs = performance.now();
    const hpa =
      index === 0
        ? await api.create(autoscalers, { metadata: { name }, spec })
        : await api.merge(`${autoscalers}/${name}`, { spec });
    const generation = at(hpa, 'metadata', 'generation');
    const observed = () => at(hpas.get(name), 'status', 'observedGeneration');
    await vi.waitFor(() => expect(observed(), `${row.name}: look ${index}`).toBe(generation), {
      timeout: limitMs,
      interval: 20,
    });
    const status = at(hpas.get(name), 'status');
    replicas = Number(at(await api.get(`${workload}/${name}`), 'spec', 'replicas'));
    const times = metrics.askedAtMs(`${name}-0`);
    looked.push({
      atMs: metrics.askedAtMs(`${name}-${look.metrics.length - 1}`).at(-1) ?? askedMs,
      replicas,
      desiredReplicas: Number(at(status, 'desiredReplicas')),
      asked: times.length,
      reason: reasonOf(status, times.length > 0),
    });
  }
  return looked;
}

function reasonOf(status: unknown, isAsked: boolean): string {
  const conditions = at(status, 'conditions');
  const condition = (type: string): unknown =>
    Array.isArray(conditions) ? conditions.find((one) => at(one, 'type') === type) : undefined;
  const active = condition('ScalingActive');
  if (!isAsked) {
    // Changes because of min or max leave the conditions as they were.
    const isDisabled = at(active, 'reason') === 'ScalingDisabled' && at(status, 'desiredReplicas') === 0;
    return isDisabled ? 'disabled' : 'forced';
  }
  if (at(active, 'status') === 'False') return 'unknown';
  const limited = condition('ScalingLimited');
  if (at(limited, 'status') !== 'True') return 'free';
  const reasons: Readonly<Record<string, string>> = {
    ScaleUpLimit: 'scaleUpLimit',
    ScaleDownLimit: 'scaleDownLimit',
    TooManyReplicas: 'max',
    TooFewReplicas: 'min',
  };
  const reason = String(at(limited, 'reason'));
  return reasons[reason] ?? reason;
}

function replicationController(name: string, replicas: number): Manifest {
  const { metadata, spec } = pod(name);
  const template = { metadata: { labels: metadata['labels'] }, spec };
  return { metadata: { name }, spec: { replicas, selector: { app: name }, template } };
}

function pod(app: string, index = 0): { metadata: Manifest; spec: Manifest } {
  const containers = [{ name: 'worker', image: 'worker' }];
  return { metadata: { name: `${app}-${index}`, labels: { app } }, spec: { containers } };
}

/** `Value` metrics count pods. Makes this many exist, and this many of them ready. */
async function havePods(api: Api, app: string, look: Look, count: number): Promise<void> {
  if (look.metrics.every(({ type }) => type === 'AverageValue')) return;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const ready = look.readyReplicas ?? count;
  await api.delete(`${pods}?labelSelector=app%3D${app}&gracePeriodSeconds=0`);
  for (let index = 0; index < count; index += 1) {
    const made = await api.create(pods, pod(app, index));
    const status = podStatus(made, { phase: 'Running', ready: index < ready });
    await api.merge(`${pods}/${app}-${index}/status`, { status });
  }
  await sleep(podsKnownMs);
}

/** KEDA's HPA for a ScaledObject. `look` makes it differ if nothing else does. */
function hpaSpec(row: Situation, name: string, metrics: readonly HpaMetric[], look: string): Manifest {
  const { minReplicaCount = 0, maxReplicaCount = 100, behavior } = row;
  return {
    scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name },
    minReplicas: Math.max(1, minReplicaCount),
    maxReplicas: maxReplicaCount,
    metrics: metrics.map(({ type, target }, i) => ({
      type: 'External',
      external: {
        metric: { name: `${name}-${i}`, selector: { matchLabels: { look } } },
        target: { type, [type === 'Value' ? 'value' : 'averageValue']: String(target) },
      },
    })),
    ...(behavior && { behavior }),
  };
}

function useStage(): () => Stage {
  const ends: (() => Promise<void> | void)[] = [];
  return useTool(
    async () => {
      const programs = await tool('cluster-programs');
      const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-cluster-'));
      ends.push(() => rm(directory, { recursive: true, force: true }));
      const plane = await ControlPlane.start(programs, directory, { controllerFlags });
      ends.push(() => plane.stop());
      const { api, certificates } = plane;
      const metrics = await ExternalMetrics.start(certificates.server);
      ends.push(() => metrics.stop());
      await makeNamespace(api, 'keda');
      await aggregate(plane, metrics.port);
      await makeNamespace(api, namespace);
      const toCome = [
        '/apis/external.metrics.k8s.io/v1beta1',
        `/api/v1/namespaces/${namespace}/serviceaccounts/default`,
      ];
      for (const path of toCome) await vi.waitFor(() => api.get(path), { timeout: limitMs, interval: 100 });
      const hpas = new Map<string, unknown>();
      ends.push(
        api.watch(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`, (hpa) =>
          hpas.set(String(at(hpa, 'metadata', 'name')), hpa),
        ),
      );
      return { api, metrics, hpas };
    },
    {
      end: async () => {
        for (const end of ends.toReversed()) await end();
      },
    },
  );
}
