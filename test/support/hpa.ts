import { vi } from 'vitest';
import { attempt, ScalerError } from '../../src/errors.ts';
import { nudgedTarget } from '../../src/scaling/metric.ts';
import type { Reference } from '../../src/triggers/reference.ts';
import type { LiveTriggers } from './live-triggers.ts';

/** In ms: how long KEDA takes for a `true` and for a target, which brings a look. */
export interface Delays {
  readonly pushMs?: number;
  readonly lookMs?: number;
}

/**
 * A KEDA 2.21 with one ScaledObject and its HPA without a `behavior`, as far as they follow a trigger: in the time of
 * the test, and without a network.
 */
export class Hpa {
  replicas: number;
  /** Whether a changed spec makes it look: Kubernetes 1.37. */
  looksAtOnce = true;
  /** maxReplicaCount. */
  most = 10_000;
  /** All targets that the stream has said. */
  readonly said: number[] = [];
  readonly pushed: boolean[] = [];
  looks = 0;
  private readonly live: LiveTriggers;
  private readonly reference: Reference;
  private readonly delays: Required<Delays>;
  private readonly unfollow: (() => void)[];
  private has: number | undefined;
  private reconciling: NodeJS.Timeout | undefined;

  constructor(live: LiveTriggers, reference: Reference, replicas = 0, delays: Delays = {}) {
    this.live = live;
    this.reference = reference;
    this.replicas = replicas;
    this.delays = { pushMs: 8, lookMs: 40, ...delays };
    const trigger = live.trigger(reference);
    this.unfollow = [
      trigger.follow(({ active }) => this.push(active)),
      trigger.followSpec(({ target, nudge = 0 }) => this.rewrite(nudgedTarget(target, nudge).float)),
    ];
  }

  get target(): number | undefined {
    return this.said.at(-1);
  }

  /** The HPA's own clock, or a poll of KEDA's where there are no replicas: they ask alike. */
  async look(): Promise<void> {
    this.looks += 1;
    const trigger = attempt(() => this.live.trigger(this.reference));
    if (trigger instanceof ScalerError) return;
    const answer = await trigger.answer(new AbortController()).catch(ScalerError.from);
    if (answer instanceof ScalerError || answer.kind !== 'known') return;
    trigger.looked(answer.value);
    const wanted = answer.value / (this.has ?? 1);
    if (this.replicas === 0 || wanted <= 1.1 * this.replicas) return;
    this.replicas = Math.min(Math.ceil(wanted), Math.max(2 * this.replicas, 4), this.most);
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

  /** Many messages are one reconcile. */
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
