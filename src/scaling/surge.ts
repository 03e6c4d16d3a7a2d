import { mostAfterLook } from './hpa.ts';
import { type Demand, leastStep, replicasFor } from './metric.ts';

/*
 * An HPA looks every 15 s, and at each look it adds as many replicas as it may. Since Kubernetes 1.37 it looks at once
 * when its spec has changed (HPAGeneration), and since 2.21 KEDA rewrites it when a StreamMetricSpec says another
 * target. So a target that is a thousandth more, and then again the exact one, brings looks when there is a reason: a
 * *nudge*. A *surge* is the nudges that bring a trigger's workload to what it asks for now.
 */

/** An HPA within this tolerance keeps its replicas (--horizontal-pod-autoscaler-tolerance). */
const tolerance = 0.1;

/**
 * Whether an HPA with so many replicas would add some.
 *
 * KEDA does not say the `metricType`. Under AverageValue, the default, value / target is the number of replicas, and this
 * is the HPA's own rule. Under Value the HPA multiplies its ready pods by it. There `replicas` is the last
 * such ratio, rounded up. Growth beyond it is growth for that HPA too; growth within one whole number waits for its clock.
 * Looks within a second multiply nothing, because starting pods are not ready yet.
 */
export function asksForMore({ value, perReplica }: Demand, replicas: number): boolean {
  return value / perReplica > replicas * (1 + tolerance);
}

/**
 * Whether a target can be nudged: two thousandths are at most 1 % of it, and distinguishable. Only a useless target cannot.
 */
export function canBeNudged(perReplica: number): boolean {
  return perReplica >= 200 * leastStep && perReplica <= 1e12;
}

/**
 * By how many thousandths a target exceeds the exact one. More, so that no look asks for a replica too many. There are two,
 * so that one always differs from both the HPA's and the last one sent.
 */
export type Nudge = 0 | 1 | 2;

/**
 * When a nudge follows, in ms. Measured with Kubernetes 1.37.0 and KEDA 2.21.0. After a GetMetrics it follows at once. An HPA
 * looks again only after it has written its result. KEDA reconciles once more because the HPA changed, and then does both
 * in one.
 */
export interface SurgeTimes {
  /** After a `true`: KEDA writes the first replica, and an HPA of no replicas does not look. */
  readonly afterPushMs: number;
  /** How long the first, second, … nudge may stay without a GetMetrics until it is repeated, the last one until it is given up. */
  readonly answerMs: readonly number[];
  /** After a look that another pod answered by a reading without the growth: by then it has read again. */
  readonly lagMs: number;
  /** How long a trigger is left alone whose nudges were not answered, the first time and then. */
  readonly restMs: readonly [number, number];
}

export const surgeTimes: SurgeTimes = {
  afterPushMs: 20,
  answerMs: [1000, 1000, 2000, 2000],
  lagMs: 1000,
  restMs: [60_000, 3_600_000],
};

/** Nudges of one trigger within a minute, the one back to the exact target not counted: 1 → 1,000 replicas takes 9. */
export const mostNudgesAMinute = 12;
const minuteMs = 60_000;
/** An HPA looks every 15 s (--horizontal-pod-autoscaler-sync-period); what else comes by itself is a poll of KEDA's. */
const ownLooksMs = 14_000;
/**
 * So long after a surge the HPA is held to have what that came to, whatever GetMetrics answers meanwhile: its downscale
 * stabilization keeps that for 300 s by default. Without this, a backlog that goes up and down is nudged all the time.
 */
const heldMs = 60_000;
/** Except if it was inactive for so long. By default KEDA waits longer before it scales to zero (cooldownPeriod, 300 s). */
const letGoMs = 15_000;

/** What comes of a surge when it is its turn. */
export type Step =
  /** The target is to be said with these thousandths more. */
  | { readonly kind: 'nudge'; readonly nudge: Nudge; readonly repeated: boolean }
  /** It has ended, and the exact target follows as the last nudge. */
  | { readonly kind: 'settle'; readonly gaveUp: boolean }
  /** It has ended, and KEDA has the exact target. */
  | { readonly kind: 'over'; readonly gaveUp: boolean };

/** What a GetMetrics meant for a surge. `first`: the HPA now knows of the growth. */
export type Looked =
  /** It answered a nudge. `prompt`: before that was to be repeated, so that it is hardly chance. */
  | { readonly kind: 'answered'; readonly prompt: boolean; readonly first: boolean }
  /** It came by itself before the nudge went out, which then need not go. */
  | { readonly kind: 'overtook'; readonly first: boolean }
  /** There is no surge. */
  | { readonly kind: 'quiet' };

/** The surges of one trigger, one at a time. Knows no clock: every `nowMs` is the caller's, monotonic. */
export class Surge {
  private readonly times: SurgeTimes;
  private running = false;
  /** The replicas that the HPA is held to have, and those at the beginning. */
  private replicas = 1;
  private fromReplicas = 1;
  private sinceMs = 0;
  private toldAtMs: number | undefined;
  /** The last reading. */
  private readAtMs = Number.NEGATIVE_INFINITY;
  /** The last target sent to KEDA, and the target of the HPA's last look. */
  private said: Nudge = 0;
  private had: Nudge = 0;
  /** Nudges since the last look. */
  private tries = 0;
  /** Nudges in a row, also of several surges, that no look has followed in time while KEDA had little to do. */
  private misses = 0;
  private sent = 0;
  private nextAtMs = 0;
  private ownLookAtMs = Number.NEGATIVE_INFINITY;
  private urgency = 0;
  private minuteBeganMs = Number.NEGATIVE_INFINITY;
  private inMinute = 0;
  private failures = 0;
  private restUntilMs = Number.NEGATIVE_INFINITY;
  /** The cause of the wake that led to it. */
  cause: string | undefined;

  constructor(times: SurgeTimes = surgeTimes) {
    this.times = times;
  }

  /** Whether it is under way. */
  get on(): boolean {
    return this.running;
  }

  get beganAtMs(): number {
    return this.sinceMs;
  }

  /** When its next step is due. */
  get dueAtMs(): number {
    return this.nextAtMs;
  }

  /** How many times as many replicas are wanted as there are; 0 where only the exact target is left to be said. */
  get growth(): number {
    return this.urgency;
  }

  /** Nudges that this surge, or the last one, has sent. */
  get nudges(): number {
    return this.sent;
  }

  /** Whether a nudge is out, and no GetMetrics has come. */
  get unanswered(): boolean {
    return this.tries > 0;
  }

  /**
   * Of this surge, or the last one: replicas at its start and now, as far as known. The time is from the growth to the last
   * look that asked for more.
   */
  get course(): { readonly from: number; readonly to: number; readonly ms: number | undefined } {
    const ms = this.toldAtMs === undefined ? undefined : this.toldAtMs - this.sinceMs;
    return { from: this.fromReplicas, to: this.replicas, ms };
  }

  resting(nowMs: number): boolean {
    return nowMs < this.restUntilMs;
  }

  /** Whether nothing of it matters any more. */
  spent(nowMs: number): boolean {
    return (
      !this.running &&
      this.failures === 0 &&
      this.misses === 0 &&
      this.said === this.had &&
      nowMs - this.minuteBeganMs >= minuteMs
    );
  }

  /**
   * There is a new reading. `replicas`: for what the HPA was last told, or 1 since the last edge. `pushedAtMs`: when `true`
   * was last sent. Returns whether a surge begins.
   */
  begin(demand: Demand, replicas: number, nowMs: number, pushedAtMs: number): boolean {
    const wasInactive = pushedAtMs - this.readAtMs >= letGoMs;
    this.readAtMs = nowMs;
    if (this.running) {
      this.urgency = this.growthTo(demand);
      return false;
    }
    if (wasInactive || nowMs - (this.toldAtMs ?? nowMs) >= heldMs) this.toldAtMs = undefined;
    const from = Math.max(1, replicas, this.toldAtMs === undefined ? 1 : this.replicas);
    if (this.resting(nowMs) || !asksForMore(demand, from) || !this.mayNudge(nowMs)) return false;
    this.running = true;
    this.replicas = from;
    this.fromReplicas = from;
    this.sinceMs = nowMs;
    this.toldAtMs = undefined;
    this.tries = 0;
    this.sent = 0;
    this.nextAtMs = Math.max(nowMs, pushedAtMs + this.times.afterPushMs);
    this.urgency = this.growthTo(demand);
    return true;
  }

  /**
   * Its turn has come. `demand` is undefined where nothing fresh says how much, or it may not nudge. `busy`: KEDA has so
   * much to do that silence means nothing yet. `blind`: looks may be answered without us, so that silence never means anything.
   */
  step(demand: Demand | undefined, nowMs: number, { busy = false, blind = false } = {}): Step {
    if (!this.running) return { kind: 'over', gaveUp: false };
    const { answerMs } = this.times;
    if (this.tries > 0 && !busy) this.misses += 1;
    if (this.misses >= answerMs.length) return this.giveUp(nowMs, blind);
    if (!demand || !asksForMore(demand, this.replicas) || !this.mayNudge(nowMs)) return this.end(false);
    const repeated = this.tries > 0;
    this.said = this.another(demand);
    this.nextAtMs = nowMs + (answerMs[this.tries] ?? answerMs.at(-1) ?? 0);
    this.tries += 1;
    this.sent += 1;
    this.inMinute += 1;
    return { kind: 'nudge', nudge: this.said, repeated };
  }

  /**
   * The HPA or a poll got the numbers of `demand`. KEDA does not say which of them asks. Without a nudge, one call in 15 s is
   * a look. A poll that is mistaken for a look uses up the spare look. `elsewhere`: another pod gave them. Its reading may be
   * older than ours, and another look soon would get the same.
   */
  looked(demand: Demand, nowMs: number, elsewhere = false): Looked {
    const { tries } = this;
    this.had = this.said;
    this.tries = 0;
    if (!this.running) return { kind: 'quiet' };
    let first = false;
    // While a trigger waits for its turn, the HPA may look by its clock.
    const inTime = tries > 0 && nowMs < this.nextAtMs;
    if (inTime) {
      this.failures = 0;
      this.misses = 0;
    }
    const polled = tries === 0 && nowMs - this.ownLookAtMs < ownLooksMs;
    if (tries === 0 && !polled) this.ownLookAtMs = nowMs;
    const grows = asksForMore(demand, this.replicas);
    const lags = elsewhere && !grows;
    if (!polled && grows) {
      first = this.toldAtMs === undefined;
      this.replicas = Math.min(replicasFor(demand), mostAfterLook(this.replicas));
      this.toldAtMs = nowMs;
    }
    if (!lags) this.urgency = this.growthTo(demand);
    if (lags) this.nextAtMs = nowMs + this.times.lagMs;
    else if (tries > 0) this.nextAtMs = nowMs;
    return tries > 0
      ? { kind: 'answered', prompt: inTime && tries === 1, first }
      : { kind: 'overtook', first };
  }

  /** KEDA does not listen any more. When it does again, it gets the exact target first. */
  lose(): void {
    this.said = 0;
    this.end(false);
  }

  /** The exact target after a look at another one: the spare look. */
  private end(gaveUp: boolean): Step {
    const kind = this.said === 0 ? 'over' : 'settle';
    this.running = false;
    this.tries = 0;
    this.said = 0;
    return { kind, gaveUp };
  }

  private giveUp(nowMs: number, blind: boolean): Step {
    const [first, then] = this.times.restMs;
    this.restUntilMs = nowMs + (blind || this.failures === 0 ? first : then);
    if (!blind) this.failures += 1;
    this.misses = 0;
    return this.end(true);
  }

  /**
   * Differs from the HPA's target and from the last one sent, which may or may not have been seen. The exact target is for the
   * end. But where a thousandth costs a replica of many, the last step needs it: later it would be within the tolerance.
   */
  private another(demand: Demand): Nudge {
    const { said, had } = this;
    const last = replicasFor(demand) <= mostAfterLook(this.replicas);
    const order: readonly Nudge[] = last && isCoarse(demand) ? [0, 1, 2] : [1, 2, 0];
    return order.find((nudge) => nudge !== said && nudge !== had) ?? 0;
  }

  private growthTo(demand: Demand): number {
    return asksForMore(demand, this.replicas) ? demand.value / demand.perReplica / this.replicas : 0;
  }

  private mayNudge(nowMs: number): boolean {
    if (nowMs - this.minuteBeganMs >= minuteMs) {
      this.minuteBeganMs = nowMs;
      this.inMinute = 0;
    }
    return this.inMinute < mostNudgesAMinute;
  }
}

/** Whether a nudged target asks for fewer replicas than the exact one. */
function isCoarse({ value, perReplica }: Demand): boolean {
  return replicasFor({ value, perReplica: perReplica + 2 * leastStep }) < replicasFor({ value, perReplica });
}
