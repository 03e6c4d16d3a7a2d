import { setTimeout as sleep } from 'node:timers/promises';
import { MiniKeda } from '../fakes/keda/mini-keda.ts';
import type { ScaledObjectRef } from '../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import type { BacklogSampler } from './backlog-sampler.ts';
import { Observer } from './observer.ts';
import { demoTimings, eventText } from './pace.ts';
import type { Telling } from './story.ts';
import { duration, type Wake } from './summary.ts';
import type { Crew } from './workers.ts';

/** A story takes about a minute. Anything later will never come. */
const limitMs = 90_000;
const frameMs = 250;

export interface StageOptions {
  /** The address of the scaler's gRPC service. */
  readonly address: string;
  readonly reference: ScaledObjectRef;
  readonly workload: Crew;
  readonly backlog: BacklogSampler;
  readonly maxReplicaCount: number;
}

/** The small KEDA at work on one ScaledObject, and the means to watch its results. */
export class Stage {
  readonly observer = new Observer();
  /** Aborted when the story ends or is interrupted. What was not seen by then counts as a broken promise. */
  readonly signal: AbortSignal;
  private readonly options: StageOptions;
  private readonly screen: Telling['screen'];
  private readonly keda: MiniKeda;
  private readonly frames: NodeJS.Timeout;
  private phaseName = '';

  constructor(options: StageOptions, { screen, interrupted, ending }: Telling) {
    this.options = options;
    this.screen = screen;
    this.signal = AbortSignal.any([interrupted, AbortSignal.timeout(limitMs)]);
    this.keda = new MiniKeda({
      ...options,
      timings: demoTimings,
      onEvent: (event) => {
        this.observer.take(event);
        const text = eventText(event);
        if (text !== undefined) screen.event(text);
      },
    });
    this.keda.start();
    this.frames = setInterval(() => this.show(), frameMs);
    ending.push(() => this.close());
  }

  /** Announces a phase in a few words. */
  phase(name: string, what: string): void {
    this.phaseName = name;
    this.say(`── ${name}: ${what}`);
  }

  say(text: string): void {
    if (!this.signal.aborted) this.screen.event(text);
  }

  /** `happen` resolves with the start of the wake. `counted` names that moment. */
  async wake(counted: string, happen: () => Promise<number>): Promise<Wake & { fromMs: number }> {
    const { observer, options } = this;
    const beganAtMs = performance.now();
    options.backlog.added();
    const fromMs = await happen();
    options.backlog.added();
    const toldAfterMs = await this.until(() => since(fromMs, observer.firstPushSince(beganAtMs)));
    const startedAfterMs = await this.until(() => since(fromMs, observer.reachedSince(beganAtMs, 1)));
    this.say(
      `woken: true on the stream ${duration(toldAfterMs)} after ${counted}, a replica ${duration(startedAfterMs)} after it`,
    );
    return { toldAfterMs, startedAfterMs, fromMs };
  }

  /** Waits for this many replicas. Resolves with the ms since `fromMs`. */
  reached(replicas: number, fromMs: number): Promise<number | undefined> {
    return this.until(() => since(fromMs, this.observer.reachedSince(fromMs, replicas)));
  }

  /** Waits until the backlog is empty. Resolves with the time. */
  cleared(): Promise<number | undefined> {
    return this.until(() => this.options.backlog.clearedAtMs);
  }

  /** Waits for zero replicas. Resolves with the ms since the backlog was empty. */
  async untilZero(): Promise<number | undefined> {
    const { backlog, workload } = this.options;
    const clearedAtMs = await this.cleared();
    if (clearedAtMs === undefined) return undefined;
    const zeroAtMs = await this.until(() => (workload.replicas === 0 ? performance.now() : undefined));
    return since(backlog.clearedAtMs ?? clearedAtMs, zeroAtMs);
  }

  async until<T>(look: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const seen = look();
      if (seen !== undefined || this.signal.aborted) return seen;
      await this.pause(10);
    }
  }

  async pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.signal }).catch(() => {});
  }

  private show(): void {
    const { backlog, workload } = this.options;
    const { replicas, running } = workload;
    const { value } = this.observer;
    this.screen.update({ phase: this.phaseName, backlog: backlog.latest, value, replicas, running });
  }

  private async close(): Promise<void> {
    clearInterval(this.frames);
    await this.keda.stop();
  }
}

function since(fromMs: number, atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : atMs - fromMs;
}
