import { vi } from 'vitest';
import { attempt, ScalerError } from '../../src/errors.ts';
import { nudgedTarget } from '../../src/scaling/metric.ts';
import type { Reference } from '../../src/triggers/reference.ts';
import type { Trigger } from '../../src/triggers/trigger.ts';
import type { LiveTriggers } from './live-triggers.ts';

/** In ms: how long KEDA takes for a `true`, and for a target, which causes a look. */
export interface Delays {
  readonly pushMs?: number;
  readonly lookMs?: number;
}

/**
 * A KEDA 2.21 with one ScaledObject, and its HPA without a `behavior`, as far as they follow a trigger. It runs in the
 * time of the test, without a network.
 */
export class Hpa {
  replicas: number;
  /** Whether a changed spec causes a look, as in Kubernetes 1.37. */
  looksAtOnce = true;
  /** maxReplicaCount. */
  most = 10_000;
  /** All targets that the stream has sent. */
  readonly said: number[] = [];
  readonly pushed: boolean[] = [];
  looks = 0;
  private readonly pods: readonly LiveTriggers[];
  private readonly pick: () => number;
  private readonly reference: Reference;
  private readonly delays: Required<Delays>;
  private readonly unfollow: (() => void)[];
  private has: number | undefined;
  private reconciling: NodeJS.Timeout | undefined;

  /** `live` is the scaler or its pods. `pick` chooses the pod of the next call. By default they take turns. */
  constructor(
    live: LiveTriggers | readonly LiveTriggers[],
    reference: Reference,
    replicas = 0,
    { pick, ...delays }: Delays & { readonly pick?: () => number } = {},
  ) {
    this.pods = 'length' in live ? live : [live];
    let calls = -1;
    const next = (): number => {
      calls += 1;
      return calls % this.pods.length;
    };
    this.pick = pick ?? next;
    this.reference = reference;
    this.replicas = replicas;
    this.delays = { pushMs: 8, lookMs: 40, ...delays };
    this.unfollow = [
      this.call().follow(({ active }) => this.push(active)),
      this.call().followSpec(({ target, nudge = 0 }) => this.rewrite(nudgedTarget(target, nudge).float)),
    ];
  }

  get target(): number | undefined {
    return this.said.at(-1);
  }

  /** A look by the HPA's own clock, or at zero replicas a poll of KEDA. Both call alike. */
  async look(): Promise<void> {
    this.looks += 1;
    const trigger = attempt(() => this.call());
    if (trigger instanceof ScalerError) return;
    const answer = await trigger.answer(new AbortController()).catch(ScalerError.from);
    if (answer instanceof ScalerError || answer.kind !== 'known') return;
    trigger.looked(answer.value);
    this.call().checked();
    const wanted = answer.value / (this.has ?? 1);
    if (this.replicas === 0 || wanted <= 1.1 * this.replicas) return;
    this.replicas = Math.min(Math.ceil(wanted), Math.max(2 * this.replicas, 4), this.most);
  }

  /** The trigger in the pod whose turn it is. */
  private call(): Trigger {
    const pod = this.pods[this.pick()];
    if (pod === undefined) throw new Error('there is no such pod');
    return pod.trigger(this.reference);
  }

  endSpec(): void {
    this.unfollow.pop()?.();
  }

  end(): void {
    for (const one of this.unfollow) one();
    clearTimeout(this.reconciling);
  }

  private push(active: boolean): void {
    this.pushed.push(active);
    if (!active) return;
    setTimeout(() => {
      this.replicas = Math.max(1, this.replicas);
    }, this.delays.pushMs);
  }

  /** Several messages share one reconcile. */
  private rewrite(target: number): void {
    this.said.push(target);
    this.reconciling ??= setTimeout(() => {
      this.reconciling = undefined;
      const changed = this.has !== this.target;
      this.has = this.target;
      if (changed && this.looksAtOnce && this.replicas > 0) void this.look();
    }, this.delays.lookMs);
  }
}

/** Moves the time of the test on. */
export function pass(ms: number): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(ms);
}
