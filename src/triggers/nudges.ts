import type { Demand } from '../scaling/metric.ts';
import { type Looked, type Nudge, Surge } from '../scaling/surge.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SurgeCourse } from './decision.ts';
import type { OtherPods, SurgeNews } from './other-pods.ts';

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
/** So many triggers in a row whose nudges nobody answers: the cluster does not know them, or KEDA has too much to do. */
const silentTriggers = 3;
/** How long a cluster is left alone that does not know nudges. */
const restMs = 3_600_000;
/**
 * A cluster that has answered knows them. KEDA, whatever keeps it busy, gets these pauses first. Measured: 120 new
 * ScaledObjects, of other scalers too, keep it busy for a minute.
 */
const pausesMs: readonly number[] = [10_000, 20_000, 40_000];
/**
 * So many nudges in a row that were answered at once are no chance. Where nudges are not known, a look by the clock of the HPA
 * meets one by chance, and the second call of the same look the next.
 */
const promptAnswers = 6;
/** Steps in one turn of the event loop. Each step scans all surges, which may be thousands. */
const stepsATurn = 20;
/** What began within this time is equally old. */
const equalMs = 20;

/**
 * The surges of all triggers, and their pace. KEDA allows itself so many requests a second to the API server, and what is
 * begun at once ends late for all. So `true` goes out first, and few surges are under way. The next nudge of each goes out
 * when the one before was answered: as fast as KEDA and the HPA are, whatever they allow themselves. The others wait,
 * fairly between namespaces, what waits longest first, of equals what grows most. What only ends a surge waits for all of
 * these.
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
  /** Whether nudges are answered here, as far as is known now. */
  private proven = false;
  /** Of the last nudges, how many in a row were answered at once. */
  private prompt = 0;
  /** Whether so many ever were that it was no chance. */
  private answered = false;
  private readonly silent = new Set<string>();
  /** Since one was answered. */
  private pauses = 0;
  private restUntilMs = Number.NEGATIVE_INFINITY;
  private said = false;
  private heard = false;
  private saidOld = false;
  private saidBlind = false;

  constructor(deps: NudgesDeps) {
    this.deps = deps;
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
    if (replicas === undefined || this.resting(nowMs)) return;
    const demand = trigger.demandNow(nowMs);
    if (!demand) return;
    const surge = trigger.surge ?? new Surge();
    if (!surge.begin(demand, replicas, nowMs, pushedAtMs)) return;
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
    if (looked.kind === 'answered' && looked.prompt) this.prove();
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

  stateOf(surge: Surge | undefined, nowMs: number): 'ready' | 'surging' | 'left alone' | 'off' {
    if (!this.pace.enabled) return 'off';
    if (surge?.on) return 'surging';
    return this.resting(nowMs) || surge?.resting(nowMs) ? 'left alone' : 'ready';
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
      if (first?.surge?.growth) return first;
      last ??= first;
    }
    return last;
  }

  private firstOf(triggers: Iterable<Nudged>, nowMs: number): Nudged | undefined {
    let first: Nudged | undefined;
    for (const trigger of triggers) {
      if (this.dueAt(trigger) <= nowMs && (!first || isBefore(trigger, first))) first = trigger;
    }
    return first;
  }

  private get hasRoom(): boolean {
    return this.underWay.size < (this.proven ? this.pace.surgesAtOnce : 1);
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
    const demand = this.resting(nowMs) ? undefined : trigger.demandNow(nowMs);
    const blind = this.deps.others.areSilent;
    if (surge.unanswered) {
      this.prompt = 0;
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
      this.count('settled');
      this.settleAtMs = nowMs + settleMs / this.pace.surgesAtOnce;
      this.tell({ kind: 'nudged', id: trigger.id });
      trigger.sayTarget(0);
    }
    if (step.gaveUp && blind) this.sayBlind(trigger);
    else if (step.gaveUp) this.gaveUp(trigger, nowMs);
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

  private resting(nowMs: number): boolean {
    return !this.pace.enabled || nowMs < this.restUntilMs;
  }

  private prove(): void {
    this.silent.clear();
    this.restUntilMs = Number.NEGATIVE_INFINITY;
    this.proven = true;
    this.prompt += 1;
    this.answered ||= this.prompt >= promptAnswers;
    this.pauses = 0;
    if (this.said) this.deps.log.info({}, 'nudges are answered: all replicas come at once again');
    this.said = false;
  }

  private sayBlind(trigger: Nudged): void {
    if (this.saidBlind) return;
    this.saidBlind = true;
    this.deps.log.info(
      { trigger: trigger.label },
      'KEDA asks other pods of this scaler, and this pod does not hear of it: growth takes some seconds, and from 64 replicas on the clock of the HPA; all at once with several pods needs eventLog.type nats',
    );
  }

  private gaveUp(trigger: Nudged, nowMs: number): void {
    this.silent.add(trigger.id);
    if (this.silent.size < silentTriggers) return;
    this.silent.clear();
    this.proven = false;
    const pauseMs = this.answered ? pausesMs[this.pauses] : undefined;
    this.restUntilMs = nowMs + (pauseMs ?? restMs);
    this.pauses += 1;
    if (pauseMs !== undefined || this.said) return;
    this.said = true;
    this.deps.log.warn(
      { trigger: trigger.label, triggers: silentTriggers, againInSeconds: restMs / 1000 },
      'HPAs do not look when their target changes: the first replica comes at once, the others by the clock of the HPA; all at once needs KEDA 2.21 and Kubernetes 1.37 with its feature gate HPAGeneration',
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

/** What asks for replicas before what only ends; then by age, and then by growth. */
function isBefore({ surge: a }: Nudged, { surge: b }: Nudged): boolean {
  if (!a || !b) return false;
  if (a.growth > 0 !== b.growth > 0) return a.growth > 0;
  const ages = Math.floor(a.beganAtMs / equalMs) - Math.floor(b.beganAtMs / equalMs);
  return ages < 0 || (ages === 0 && a.growth > b.growth);
}
