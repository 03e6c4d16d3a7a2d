import { setTimeout as sleep } from 'node:timers/promises';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import { hpaDefaults, type Recommendation, sync } from '../../src/scaling/hpa.ts';
import { decide, type KedaObservation, kedaDefaults } from '../../src/scaling/keda.ts';
import { KedaClient, type MetricTarget } from './keda-client.ts';

/** The target of KEDA: a Deployment's `spec.replicas`. In the demo a consumer group's size, or a number of runners. */
export interface Workload {
  /** The desired number. The running members follow at their own speed. */
  readonly replicas: number;
  scale(replicas: number): void;
}

/** The times that decide how fast KEDA and the HPA act. */
export interface KedaTimings {
  readonly pollingIntervalMs: number;
  readonly cooldownPeriodMs: number;
  readonly hpaSyncMs: number;
  readonly downscaleStabilizationMs: number;
}

/** The defaults of KEDA 2.21 and Kubernetes 1.37. */
export const defaultTimings: KedaTimings = {
  pollingIntervalMs: 30_000,
  cooldownPeriodMs: 300_000,
  hpaSyncMs: 15_000,
  downscaleStabilizationMs: 300_000,
};

/**
 * The time from a changed target to the HPA's look, through KEDA's reconcile and the API server. Measured: 35 to 70 ms
 * with KEDA 2.21.0 and Kubernetes 1.37.2. Targets that come within this time share a reconcile.
 */
const reconcileMs = 40;

export interface MiniKedaOptions {
  /** The address of the scaler's gRPC service, `host:port`. */
  address: string;
  reference: ScaledObjectRef;
  workload: Workload;
  timings: KedaTimings;
  maxReplicaCount: number;
  onEvent(event: KedaEvent): void;
}

/** The cause of a change: a pushed `true`, a poll, or a look of the HPA, by its clock or because its spec changed. */
export type Scaling = 'push' | 'poll' | 'hpa clock' | 'hpa change';

/** An event, in ms of `performance.now()`. */
export type KedaEvent = { readonly atMs: number } & (
  | { readonly kind: 'pushed'; readonly active: boolean }
  | { readonly kind: 'answered'; readonly value: number; readonly active: boolean }
  | { readonly kind: 'failed'; readonly message: string }
  /** KEDA gave the HPA another target. */
  | { readonly kind: 'rewritten'; readonly perReplica: number }
  | {
      readonly kind: 'scaled';
      readonly by: Scaling;
      readonly from: number;
      readonly to: number;
      readonly because: string;
    }
);

type EventBody = KedaEvent extends infer E ? (E extends KedaEvent ? Omit<E, 'atMs'> : never) : never;

/**
 * A ScaledObject with one `external-push` trigger, as KEDA 2.21 and the HPA treat it: a poll, two streams, an HPA sync,
 * and one lock for polls and pushes. It decides only by the scaler's answers. The HPA is that of Kubernetes 1.37. It
 * looks by its clock, and at once when its spec has changed (HPAGeneration).
 */
export class MiniKeda {
  private readonly options: MiniKedaOptions;
  private readonly client: KedaClient;
  private readonly stopped = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly createdAtMs = performance.now();
  /** The HPA's target since the last reconcile. Undefined before the HPA exists. */
  private target: MetricTarget | undefined;
  /** With a spec from the stream, polls do not request one (pkg/scaling/cache/scalers_cache.go:206). */
  private targetIsStreamed = false;
  private lastActiveAtMs: number | undefined;
  private recommendations: readonly Recommendation[] | undefined;
  private scaling: Promise<void> = Promise.resolve();
  /** The target that the next reconcile gives to the HPA. */
  private told: MetricTarget | undefined;
  private reconciling: NodeJS.Timeout | undefined;
  /** Aborted when the HPA's spec has changed since its last look. */
  private changed = new AbortController();

  constructor(options: MiniKedaOptions) {
    this.options = options;
    this.client = new KedaClient(options.address, options.reference);
  }

  start(): void {
    const { pollingIntervalMs, hpaSyncMs } = this.options.timings;
    this.client.followTarget((target) => this.retarget(target));
    this.client.followActivity((active) => this.pushed(active));
    this.loops.push(
      this.every(pollingIntervalMs, () => this.locked(() => this.poll())),
      this.look(hpaSyncMs),
    );
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.reconciling);
    this.client.close();
    await Promise.all(this.loops);
    await this.scaling;
  }

  /** The stream sent a target. The first one creates the HPA. Another one causes a reconcile. */
  private retarget(target: MetricTarget): void {
    this.targetIsStreamed = true;
    this.target ??= target;
    this.told = target;
    this.reconciling ??= setTimeout(() => {
      this.reconciling = undefined;
      const before = this.target?.perReplica.toFixed(3);
      this.target = this.told;
      const { told } = this;
      if (!told || told.perReplica.toFixed(3) === before) return;
      this.emit({ kind: 'rewritten', perReplica: told.perReplica });
      this.changed.abort();
    }, reconcileMs);
  }

  /** `false` is ignored. So is everything before the HPA exists (pkg/scaling/scale_handler.go:332-349). */
  private pushed(active: boolean): void {
    this.emit({ kind: 'pushed', active });
    if (!active || this.target === undefined) return;
    void this.locked(async () => this.act({ isActive: true, isError: false }, 'push'));
  }

  private async poll(): Promise<void> {
    const answer = await this.ask();
    this.act({ isActive: answer?.active ?? false, isError: answer === undefined }, 'poll');
  }

  private act(observation: KedaObservation, by: Scaling): void {
    const { workload, timings } = this.options;
    const { replicas } = workload;
    const state = { replicas, createdAtMs: this.createdAtMs, lastActiveAtMs: this.lastActiveAtMs };
    const spec = { ...kedaDefaults, cooldownPeriodSeconds: timings.cooldownPeriodMs / 1000 };
    const step = decide(spec, state, observation, performance.now());
    this.lastActiveAtMs = step.lastActiveAtMs;
    this.scale(step.replicas, by, step.because);
  }

  /** The HPA's looks, one after the other. A look because of a change does not move the clock. */
  private async look(everyMs: number): Promise<void> {
    const { signal } = this.stopped;
    let clockAtMs = performance.now();
    while (!signal.aborted) {
      const isChanged = this.changed.signal.aborted;
      if (isChanged) this.changed = new AbortController();
      await this.syncHpa(isChanged ? 'hpa change' : 'hpa clock');
      if (!isChanged) clockAtMs = performance.now() + everyMs;
      const either = AbortSignal.any([signal, this.changed.signal]);
      await sleep(Math.max(0, clockAtMs - performance.now()), undefined, { signal: either }).catch(() => {});
    }
  }

  /** Only with replicas. A failed answer leaves their number unchanged. */
  private async syncHpa(by: Scaling): Promise<void> {
    const { workload, timings, maxReplicaCount } = this.options;
    const { replicas } = workload;
    if (replicas === 0 || this.target === undefined) return;
    const answer = await this.ask();
    // KEDA has scaled meanwhile. The next sync looks again, as after a conflict on the scale subresource.
    if (answer === undefined || workload.replicas !== replicas) return;
    const { downscaleStabilizationMs } = timings;
    const metrics = [{ type: 'AverageValue' as const, value: answer.value, target: this.target.perReplica }];
    const spec = { ...hpaDefaults, metrics, maxReplicaCount, downscaleStabilizationMs };
    const step = sync(spec, { replicas, recommendations: this.recommendations }, performance.now());
    this.recommendations = step.recommendations;
    this.scale(step.replicas, by, step.because);
  }

  /** GetMetricSpec, GetMetrics and IsActive. A failure is retried once, at once (scalers_cache.go:256). */
  private async ask(): Promise<{ value: number; active: boolean } | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (!this.targetIsStreamed || this.target === undefined)
          this.target = await this.client.metricTarget();
        const value = await this.client.value(this.target.name);
        const active = await this.client.isActive();
        this.emit({ kind: 'answered', value, active });
        return { value, active };
      } catch (error) {
        if (this.stopped.signal.aborted) return undefined;
        if (attempt === 1) continue;
        this.emit({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
        return undefined;
      }
    }
  }

  private scale(to: number, by: Scaling, because: string): void {
    const { workload } = this.options;
    const from = workload.replicas;
    if (from === to || this.stopped.signal.aborted) return;
    workload.scale(to);
    this.emit({ kind: 'scaled', by, from, to, because });
  }

  /** KEDA's scalingMutex: a push waits for the poll under way. */
  private locked(work: () => Promise<void>): Promise<void> {
    this.scaling = this.scaling.then(work);
    return this.scaling;
  }

  private async every(intervalMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      await work();
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  }

  private emit(body: EventBody): void {
    this.options.onEvent({ ...body, atMs: performance.now() });
  }
}
