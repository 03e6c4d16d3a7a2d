import type { Demand } from '../scaling/metric.ts';
import { type Looked, type Nudge, Surge } from '../scaling/surge.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SurgeCourse } from './decision.ts';
import type { OtherPods, SurgeNews } from './other-pods.ts';
import { Suspicion } from './suspicion.ts';

/** How much KEDA may be asked of. */
export interface Pace {
  readonly enabled: boolean;
  /** How many surges are under way; the others wait for their turn. */
  readonly surgesAtOnce: number;
}

/** A trigger, as far as its surges go. */
export interface Nudged {
  readonly id: string;
  readonly label: string;
  readonly namespace: string;
  /** Replicas for what the last GetMetrics was given, or the one of an edge after it; undefined before the first of both. */
  readonly hpaReplicas: number | undefined;
  /** Made at the first growth, and gone when it does not matter any more. */
  surge: Surge | undefined;
  /** What it asks for; undefined where it may not nudge, or nothing fresh says so. */
  demandNow(nowMs: number): Demand | undefined;
  /** Says its target on its streams, by so many thousandths more than it is. */
  sayTarget(nudge: Nudge): void;
  surged(course: SurgeCourse, nowMs: number, cause: string | undefined): void;
}

export interface Growth {
  readonly nowMs: number;
  readonly pushedAtMs: number;
  /** Of the wake that led to the reading. */
  readonly cause: string | undefined;
}

export interface NudgesDeps {
  /** Monotonic, in ms. */
  now(): number;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'nudges' | 'growthTold'>;
  readonly others: OtherPods;
}

export const outcomes = ['answered', 'unanswered', 'overtaken', 'settled', 'lost'] as const;
type Outcome = (typeof outcomes)[number];

/**
 * What a first replica takes of KEDA: two requests of 20 a second, apart from those for nudges. A spec on a stream that it
 * has just opened has it reconcile the ScaledObject, which is no less.
 */
const startMs = 100;
/** However many there are, the clock of the HPA has looked twice meanwhile. */
const mostStartsMs = 30_000;
/** What the end of a surge takes of KEDA, as long as one is under way at once. */
const settleMs = 500;
/** So long a surge that only has its end left waits for others at most. Forty at once are through by then. */
const mostEndWaitMs = 60_000;
/** Steps in one turn of the event loop. Each step scans all surges, which may be thousands. */
const stepsATurn = 20;
/** What began within this time is equally old. */
const equalMs = 20;

/**
 * The surges of all triggers, and their pace. KEDA allows itself so many requests a second to the API server, and what is
 * begun at once ends late for all. So `true` goes out first, and few surges are under way. The next nudge of each goes out
 * when the one before was answered: as fast as KEDA and the HPA are, whatever they allow themselves. The others wait,
 * fairly between namespaces, what waits longest first, of equals what grows most. What only ends a surge waits for all of
 * these, for a minute at most.
 *
 * Until a first nudge was answered, one is under way: where they are not answered, they cost KEDA little.
 */
export class Nudges {
  private readonly deps: NudgesDeps;
  private pace: Pace = { enabled: false, surgesAtOnce: 1 };
  /** The triggers that surge, by namespace; the namespace whose turn it is comes first. */
  private readonly surging = new Map<string, Set<Nudged>>();
  /** Those whose nudge is to be answered, or has just been. */
  private readonly underWay = new Set<Nudged>();
  /** When the next one may be ended. */
  private settleAtMs = Number.NEGATIVE_INFINITY;
  /** When KEDA has started the first replica for every `true`, and reconciled what it opened streams for, by its defaults. */
  private startedAtMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private armedForMs = 0;
  private readonly suspicion: Suspicion;
  private heard = false;
  private saidOld = false;
  private saidBlind = false;

  constructor(deps: NudgesDeps) {
    this.deps = deps;
    this.suspicion = new Suspicion(deps.log);
    for (const outcome of outcomes) deps.metrics.nudges.inc({ outcome }, 0);
  }

  /** Takes changed settings; where they turn it off, surges end at their next step. */
  use(pace: Pace): void {
    this.pace = pace;
    this.arm();
  }

  /** How many triggers surge. */
  get waiting(): number {
    return [...this.surging.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** KEDA follows the spec of a trigger: it is 2.21 or later. */
  followed(): void {
    this.heard = true;
    this.start(this.deps.now());
  }

  /** `true` was sent. `nudged`: whether KEDA follows the spec of this trigger, too. */
  pushed(id: string, nudged: boolean): void {
    this.start(this.deps.now());
    this.tell({ kind: 'pushed', id });
    if (!this.pace.enabled || nudged || this.heard || this.saidOld || this.deps.others.areCalled) return;
    this.saidOld = true;
    this.deps.log.info(
      {},
      'KEDA opens no StreamMetricSpec: the first replica comes at once, the others by the clock of the HPA; all at once needs KEDA 2.21, and a ScaledObject',
    );
  }

  /** Another pod has sent `true`. */
  pushedElsewhere(): void {
    this.start(this.deps.now());
  }

  /** Tells the other pods, where triggers surge at all. */
  tell(news: SurgeNews): void {
    if (this.pace.enabled) this.deps.others.tell(news);
  }

  private start(nowMs: number): void {
    this.startedAtMs = Math.min(Math.max(this.startedAtMs, nowMs) + startMs, nowMs + mostStartsMs);
  }

  /** A trigger whose spec is followed has a new reading. `pushedAtMs`: when it became active. */
  grown(trigger: Nudged, { nowMs, pushedAtMs, cause }: Growth): void {
    if (trigger.surge?.spent(nowMs)) trigger.surge = undefined;
    const replicas = trigger.hpaReplicas;
    if (replicas === undefined || this.resting(trigger, nowMs)) return;
    const demand = trigger.demandNow(nowMs);
    if (!demand) return;
    const surge = trigger.surge ?? new Surge();
    const ends = surge.on && surge.growth === 0;
    if (!surge.begin(demand, replicas, nowMs, pushedAtMs)) {
      // Its end may have waited for later.
      if (ends && surge.growth > 0) this.armFor(surge.dueAtMs, nowMs);
      return;
    }
    surge.cause = cause;
    trigger.surge = surge;
    this.add(trigger);
    this.armFor(surge.dueAtMs, nowMs);
  }

  /** A GetMetrics of a trigger with a surge, be it over, was given this, here or in another pod. */
  looked(trigger: Nudged, demand: Demand, elsewhere = false): void {
    const { surge } = trigger;
    if (!surge) return;
    const nowMs = this.deps.now();
    const looked = surge.looked(demand, nowMs, elsewhere);
    if (looked.kind === 'quiet') return;
    this.count(looked.kind === 'answered' ? 'answered' : 'overtaken');
    this.deps.log.debug({ trigger: trigger.label, ...looked, ...surge.course }, 'surge: GetMetrics');
    this.observe(looked, surge);
    if (looked.kind === 'answered' && looked.prompt) this.suspicion.answeredPromptly();
    else if (looked.kind === 'answered') this.suspicion.missed();
    const going = this.underWay.has(trigger);
    // What has only its end left gives its place to another.
    if (going && surge.growth === 0) this.underWay.delete(trigger);
    if (going || this.hasRoom) this.armFor(nowMs, nowMs);
  }

  /** Nobody follows its spec any more. */
  lost(trigger: Nudged): void {
    const { surge } = trigger;
    if (!surge) return;
    if (surge.unanswered) this.count('lost');
    surge.lose();
    this.remove(trigger);
  }

  stateOf(
    trigger: Pick<Nudged, 'namespace' | 'surge'>,
    nowMs: number,
  ): 'ready' | 'surging' | 'left alone' | 'off' {
    const { surge } = trigger;
    if (!this.pace.enabled) return 'off';
    if (surge?.on) return 'surging';
    return this.resting(trigger, nowMs) || surge?.resting(nowMs) ? 'left alone' : 'ready';
  }

  close(): void {
    clearTimeout(this.timer);
    this.pace = { ...this.pace, enabled: false };
    this.surging.clear();
    this.underWay.clear();
  }

  // --- Whose turn it is.

  private readonly run = (): void => {
    this.timer = undefined;
    const nowMs = this.deps.now();
    for (const trigger of this.underWay) {
      if (trigger.surge?.unanswered && trigger.surge.dueAtMs <= nowMs) this.underWay.delete(trigger);
    }
    for (let steps = 0; steps < stepsATurn; steps += 1) {
      const next = this.next(nowMs);
      if (!next) break;
      this.step(next, nowMs);
    }
    this.arm();
  };

  private next(nowMs: number): Nudged | undefined {
    const going = this.firstOf(this.underWay, nowMs);
    if (going || !this.hasRoom) return going;
    let last: Nudged | undefined;
    for (const triggers of this.surging.values()) {
      const first = this.firstOf(triggers, nowMs);
      if (first && isUrgent(first, nowMs)) return first;
      last ??= first;
    }
    return last;
  }

  private firstOf(triggers: Iterable<Nudged>, nowMs: number): Nudged | undefined {
    let first: Nudged | undefined;
    for (const trigger of triggers) {
      if (this.dueAt(trigger) <= nowMs && (!first || isBefore(trigger, first, nowMs))) first = trigger;
    }
    return first;
  }

  private get hasRoom(): boolean {
    return this.underWay.size < (this.suspicion.isProven ? this.pace.surgesAtOnce : 1);
  }

  /** For one that is under way, or while there is room for more. */
  private dueAt(trigger: Nudged): number {
    const { surge } = trigger;
    if (!surge) return Number.POSITIVE_INFINITY;
    return surge.growth > 0 ? surge.dueAtMs : Math.max(surge.dueAtMs, this.settleAtMs);
  }

  private step(trigger: Nudged, nowMs: number): void {
    const { surge } = trigger;
    if (!surge) return;
    const demand = this.resting(trigger, nowMs) ? undefined : trigger.demandNow(nowMs);
    const blind = this.deps.others.areSilent;
    if (surge.unanswered) {
      this.suspicion.missed();
      this.count(blind ? 'lost' : 'unanswered');
    }
    const step = surge.step(demand, nowMs, { busy: nowMs < this.startedAtMs, blind });
    this.deps.log.debug({ trigger: trigger.label, ...step, ...surge.course, nudges: surge.nudges }, 'surge');
    if (step.kind === 'nudge') {
      if (!this.underWay.has(trigger)) this.rotate(trigger.namespace);
      this.underWay.add(trigger);
      this.tell({ kind: 'nudged', id: trigger.id });
      trigger.sayTarget(step.nudge);
      return;
    }
    this.remove(trigger);
    if (step.kind === 'settle') {
      this.rotate(trigger.namespace);
      this.count('settled');
      this.settleAtMs = nowMs + settleMs / this.pace.surgesAtOnce;
      this.tell({ kind: 'nudged', id: trigger.id });
      trigger.sayTarget(0);
    }
    if (step.gaveUp && blind) this.sayBlind(trigger);
    else if (step.gaveUp) this.suspicion.gaveUp(trigger, nowMs);
    else this.finished(trigger, surge, nowMs);
  }

  private finished(trigger: Nudged, surge: Surge, nowMs: number): void {
    const { course, nudges, cause } = surge;
    if (nudges === 0 || course.ms === undefined) return;
    trigger.surged({ ...course, ms: course.ms, nudges }, nowMs, cause);
  }

  private add(trigger: Nudged): void {
    const { namespace } = trigger;
    const triggers = this.surging.get(namespace) ?? new Set();
    this.surging.set(namespace, triggers.add(trigger));
  }

  private remove(trigger: Nudged): void {
    const { namespace } = trigger;
    const triggers = this.surging.get(namespace);
    if (!triggers?.delete(trigger)) return;
    if (triggers.size === 0) this.surging.delete(namespace);
    if (this.underWay.delete(trigger)) this.arm();
  }

  /** The namespace has had its turn. */
  private rotate(namespace: string): void {
    const triggers = this.surging.get(namespace);
    if (!triggers) return;
    this.surging.delete(namespace);
    this.surging.set(namespace, triggers);
  }

  // --- When.

  private arm(): void {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const triggers of this.hasRoom ? this.surging.values() : [this.underWay]) {
      for (const trigger of triggers) firstMs = Math.min(firstMs, this.dueAt(trigger));
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    if (Number.isFinite(firstMs)) this.armFor(firstMs, this.deps.now());
  }

  /** There is something to do then. */
  private armFor(atMs: number, nowMs: number): void {
    if (this.timer && this.armedForMs <= atMs) return;
    clearTimeout(this.timer);
    this.armedForMs = atMs;
    this.timer = setTimeout(this.run, Math.max(0, atMs - nowMs));
  }

  // --- Whether it works here.

  private resting({ namespace }: Pick<Nudged, 'namespace'>, nowMs: number): boolean {
    return !this.pace.enabled || this.suspicion.rests(namespace, nowMs);
  }

  private sayBlind(trigger: Nudged): void {
    if (this.saidBlind) return;
    this.saidBlind = true;
    this.deps.log.info(
      { trigger: trigger.label },
      'KEDA asks other pods of this scaler, and this pod does not hear of it: growth takes some seconds, and from 64 replicas on the clock of the HPA; all at once with several pods needs eventLog.type nats',
    );
  }

  private observe(looked: Exclude<Looked, { kind: 'quiet' }>, { course }: Surge): void {
    if (!looked.first || course.ms === undefined) return;
    const by = looked.kind === 'answered' ? 'nudge' : 'clock';
    this.deps.metrics.growthTold.observe({ by }, course.ms / 1000);
  }

  private count(outcome: Outcome): void {
    this.deps.metrics.nudges.inc({ outcome });
  }
}

/** It asks for replicas, or has waited for its end for long. */
function isUrgent({ surge }: Nudged, nowMs: number): boolean {
  return surge !== undefined && (surge.growth > 0 || nowMs - surge.dueAtMs >= mostEndWaitMs);
}

/** What is urgent first; then by age, and then by growth. */
function isBefore(one: Nudged, other: Nudged, nowMs: number): boolean {
  const { surge: a } = one;
  const { surge: b } = other;
  if (!a || !b) return false;
  const urgent = isUrgent(one, nowMs);
  if (urgent !== isUrgent(other, nowMs)) return urgent;
  const ages = Math.floor(a.beganAtMs / equalMs) - Math.floor(b.beganAtMs / equalMs);
  return ages < 0 || (ages === 0 && a.growth > b.growth);
}
