import { attempt, ScalerError } from '../errors.ts';
import { Drain, type DrainStep, describeDrain, sampleOf, settleMs } from '../scaling/drain.ts';
import { withHeadroom } from '../scaling/headroom.ts';
import { type Demand, type Metric, replicasFor, toMetric } from '../scaling/metric.ts';
import { canBeNudged, type Nudge, type Surge } from '../scaling/surge.ts';
import type { Detail, Oldest, Reading, Target } from '../sources/source.ts';
import type { Working } from '../sources/working.ts';
import type { Member, Subject } from '../subjects/subject.ts';
import { type Change, type Decided, type Decision, type SurgeCourse, Told } from './decision.ts';
import { type Histories, History, type HistoryEvent } from './history.ts';
import type { Nudged, Nudges } from './nudges.ts';
import type { OtherPods, SurgeNews } from './other-pods.ts';
import type { Point } from './points.ts';
import { ownerOf, type Reference } from './reference.ts';
import type { Measured } from './resolve.ts';

/** What a trigger's reading comes to, for KEDA. */
export type Answer =
  | { kind: 'known'; value: number; active: boolean; ageMs: number }
  /** Activity can be answered, the number cannot. */
  | { kind: 'uncounted'; active: boolean; why: string };

/** A trigger's activity, for its followers. */
export interface Activity {
  active: boolean;
  /** True when this is a change from inactive (or unknown) to active, false for the state on open. */
  edge: boolean;
}

/** The metric that the HPA asks for. */
export interface Spec {
  readonly metricName: string;
  readonly target: Pick<Target, 'perReplica'>;
  /** By how many thousandths the target is to be more, to have the HPA look; absent but on a stream. */
  readonly nudge?: Nudge;
}

/** Whether the HPA is made to look where a trigger grows: `ready` where it is, and quiet. */
export type SurgeState = 'ready' | 'surging' | 'left alone' | 'no stream' | 'off';

/** One trigger as people see it: on `/metrics`, `/api/triggers` and in `explain`. No metadata values, no secrets. */
export interface TriggerStatus {
  /** The trigger's identity; unique, and equal in every pod. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** As it was last resolved; '' for a trigger that never was. */
  readonly source: string;
  readonly connection: string;
  readonly metricName: string;
  /** The target that the HPA gets. Absent while the trigger is refused. */
  readonly target?: number;
  /** The backlog as it was read, without headroom; absent while it is not known. */
  readonly items?: number;
  /** What KEDA gets; absent while there is no number. */
  readonly value?: number;
  /** Replicas that value and target ask for; absent as the value is. */
  readonly desired?: number;
  /** Under `policy: drain`, and as long as items are known: what it reckons with. */
  readonly drain?: DrainStep;
  /** Absent while it is not known. */
  readonly active?: boolean;
  /** Time since the source last confirmed the reading; absent before the first one. */
  readonly ageMs?: number;
  /** Whether KEDA gets an answer now: there is a reading, and it is not too old. */
  readonly up: boolean;
  /** Why it is not up, or the last failure. */
  readonly error?: string;
  readonly detail?: Detail;
  /** How long the oldest item has been waiting; absent where nothing waits, or it is not known. `atLeast`: maybe for much longer. */
  readonly oldest?: { readonly ageMs: number; readonly atLeast: boolean };
  /** Absent while it is refused. */
  readonly surge?: SurgeState;
  /** The last event that led to a reading, and why it did; absent before the first. */
  readonly lastWake?: { readonly cause: string; readonly ageMs: number };
  /** When the HPA was last made to look. */
  readonly lastNudge?: { readonly ageMs: number };
  /** The last failure, if it has ended. */
  readonly lastError?: { readonly message: string; readonly ageMs: number };
}

/** The same without the working, which takes longer to make than all the rest. */
export type TriggerSummary = Omit<TriggerStatus, 'detail'>;

/** What is kept of a trigger's past; times are of the monotonic clock, oldest first. */
export interface Past {
  readonly points: readonly Point[];
  readonly events: readonly HistoryEvent[];
}

/** What a trigger needs of those that it lives among. */
export interface TriggerHost {
  now(): number;
  readonly histories: Histories;
  coldReadTimeoutMs: number;
  decided: Decided;
  readonly nudges: Nudges;
  readonly others: OtherPods;
  /** The trigger went from inactive to active. */
  edge(measured: Measured): void;
}

type Good = Exclude<Reading, { kind: 'unknown' }>;
type Known = Extract<Reading, { kind: 'known' }>;
type Following<T> = (told: T) => void;

/**
 * Of each kind, for one trigger. KEDA opens one. There are more while a broken connection of KEDA is not known to be dead,
 * or with several KEDAs. All are notified in one turn of the event loop.
 */
export const mostFollowers = 100;

/** For so long after a nudge, its pod wants to know of looks: until it would nudge again, and some more. */
const tellLooksMs = 3_000;
/** Readings of two pods of one edge are no further apart. */
const sameEdgeMs = 60_000;
/** KEDA asks for the activity right after the metrics. */
const pairMs = 2_000;

/**
 * One live reference. Resolved, it is *measured* or *refused*; and all who ask about it (unary calls, both streams,
 * `/api/triggers`, metrics, decisions) get what its one `answerNow` says.
 */
export class Trigger implements Member, Nudged {
  readonly id: string;
  reference: Reference;
  /** The last outcome of resolving that was no refusal; while it is refused, that of before. Undefined: there was none. */
  measured: Measured | undefined;
  /** Why it is refused. Undefined if it is measured. */
  refusal: ScalerError | undefined;
  /** The configuration that it was last resolved under, by its number. */
  generation = 0;
  private subject: Subject | undefined;
  /** Where it was last measured, and by which subject: a reading of any other is not this trigger's. */
  private place: string | undefined;
  private subjectKey: string | undefined;
  private readonly host: TriggerHost;
  private good: Good | undefined;
  /** Under `policy: drain`. */
  private drain: Drain | undefined;
  private goodConfirmedAtMs = 0;
  /** The subject that the newest snapshot is of: what confirms another one says nothing of the reading. */
  private readOf: Subject | undefined;
  /** Why the newest snapshot gives no reading, or why there is no subject. */
  private fault: ScalerError | undefined;
  /** Until when a caller may wait for the first reading. */
  private coldUntilMs: number;
  private readonly told = new Told();
  /** Replicas for what the last GetMetrics was given, or the one of an edge after it; undefined before the first of both. */
  hpaReplicas: number | undefined;
  /** Only there while it matters. */
  surge: Surge | undefined;
  /**
   * When KEDA has started it, where not by a stream of this pod: another has sent `true`, or a GetMetrics told of replicas.
   * -∞ where nothing says so since the last edge.
   */
  private startedAtMs = Number.NEGATIVE_INFINITY;
  /** The last GetMetrics that this pod has answered, and whether an IsActive came after it. */
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private checkedSince = true;
  /** Until when another pod wants to know of each. */
  private tellLooksUntilMs = Number.NEGATIVE_INFINITY;
  /** What followers know; undefined where they know nothing, or what they knew is too old. */
  private heard: boolean | undefined;
  // Only there while somebody follows or waits: there are tens of thousands of triggers.
  private followers: readonly Following<Activity>[] = none;
  private specFollowers: readonly Following<Spec>[] = none;
  private waiting: Set<() => void> | undefined;
  private lastAskedMs: number;
  private longestGapMs: number;
  private readonly history: History;
  private lastWake: { cause: string; atMs: number } | undefined;
  private lastNudgeAtMs: number | undefined;
  private lastError: { message: string; atMs: number } | undefined;

  /** `lastAskedMs`: when it was last asked for in an earlier life, so that the gap between its calls is known. */
  constructor(id: string, reference: Reference, host: TriggerHost, lastAskedMs?: number) {
    const nowMs = host.now();
    this.id = id;
    this.reference = reference;
    this.host = host;
    this.coldUntilMs = nowMs + host.coldReadTimeoutMs;
    this.longestGapMs = nowMs - (lastAskedMs ?? nowMs);
    this.lastAskedMs = nowMs;
    this.history = new History(reference.namespace, host.histories);
  }

  /** `kafka trigger of shop/orders-worker`: how messages name a trigger. */
  get label(): string {
    const kind = this.measured ? `${this.measured.source.kind} ` : '';
    return `${kind}trigger of ${ownerOf(this.reference)}`;
  }

  /** Throws ScalerError where the trigger is refused. */
  get spec(): Spec {
    return this.sound();
  }

  // --- Its resolution.

  /** The reference was resolved, for the first time or differently. Followers of the spec get it. */
  measure(measured: Measured): void {
    const before = this.measured;
    this.measured = measured;
    this.refusal = undefined;
    this.drain ??= measured.drain && new Drain(measured.drain);
    const same =
      before?.metricName === measured.metricName && before.target.perReplica === measured.target.perReplica;
    if (before && !same) this.sayTarget(0);
  }

  /** The reference cannot be used as the configuration is now: nothing is answered or pushed until it can. */
  refuse(error: ScalerError): void {
    this.leave();
    this.refusal = error;
    this.settle();
    this.look();
    const nowMs = this.host.now();
    if (this.measured) this.history.note({ kind: 'refused', atMs: nowMs, error: error.message });
    this.record(nowMs);
  }

  /** The measured parameters and all else that resolving gave; throws ScalerError where it is refused. */
  private sound(): Measured {
    if (this.refusal) throw this.refusal;
    if (!this.measured) throw new ScalerError('unavailable', `${this.label}: is not resolved yet`);
    return this.measured;
  }

  // --- Its place among the members of a subject.

  get params(): unknown {
    return this.measured?.params;
  }

  get paramsKey(): string {
    return this.measured?.paramsKey ?? '';
  }

  get maxStalenessMs(): number {
    return this.measured?.maxStalenessMs ?? 0;
  }

  get wasActive(): boolean | undefined {
    const { good, measured } = this;
    if (good?.kind !== 'known') return good && true;
    return good.active || (measured?.headroom.whenIdle === true && isCount(good.items));
  }

  take(reading: Reading, confirmedAtMs: number, nowMs: number, cause?: string): void {
    const before = this.wasActive;
    this.readOf = this.subject;
    if (reading.kind === 'unknown') {
      this.fault = reading.error;
    } else {
      this.fault = undefined;
      this.good = reading;
      this.goodConfirmedAtMs = confirmedAtMs;
      if (reading.kind === 'known') this.drain?.take(sampleOf(reading, confirmedAtMs));
    }
    this.settle();
    // What an event has just told of is certain, also where the number is too old to be given.
    const after = this.wasActive;
    const edge = before === false && after === true;
    this.look(nowMs, cause, edge);
    if (cause !== undefined) this.lastWake = { cause, atMs: nowMs };
    // Behind `look`, which has `true` sent first.
    const { nudges } = this.host;
    if (edge) {
      this.hpaReplicas = 1;
      if (this.followers.length > 0) nudges.pushed(this.id, this.nudged);
      else if (this.host.others.areSilent) this.startedAtMs = nowMs;
      else if (nowMs - this.startedAtMs >= sameEdgeMs) this.startedAtMs = Number.NEGATIVE_INFINITY;
    }
    this.grow(nowMs, cause);
    this.record(nowMs);
  }

  /** What KEDA gets for a reading. Throws ScalerError if there is no number of items. */
  private metricOf(good: Known, { headroom, target }: Measured): Metric {
    const { perReplica } = target;
    const { drain } = this;
    const metric =
      drain && isCount(good.items)
        ? { value: drain.now.desired, active: good.active }
        : toMetric(good, perReplica);
    return withHeadroom(metric, headroom, perReplica);
  }

  failed(nowMs: number, cause?: string): void {
    this.settle();
    this.look(nowMs, cause);
    this.record(nowMs);
  }

  left(): void {
    this.subject = undefined;
  }

  /**
   * Measures it with a subject, which may be the present one. `place` is its connection's. Readings of another place or
   * subject are forgotten. `need`: what it needs of the subject.
   */
  join(subject: Subject, place: string, need: unknown): void {
    const { key } = subject;
    if (this.place !== undefined && (this.place !== place || this.subjectKey !== key)) this.forget();
    this.place = place;
    this.subjectKey = key;
    if (this.subject === subject) {
      subject.hasten(this);
      return;
    }
    this.leave();
    this.subject = subject;
    this.fault = undefined;
    subject.join(this, need);
  }

  moveTo(subject: Subject, need: unknown): void {
    if (this.place !== undefined) this.join(subject, this.place, need);
  }

  /** Nothing is read for it any more. */
  leave(): void {
    this.subject?.leave(this);
    this.subject = undefined;
  }

  /** It cannot be measured: its subject cannot be named, or its connection is not open. */
  lose(fault: ScalerError): void {
    this.leave();
    this.fault = fault;
    this.settle();
    this.look();
    this.record(this.host.now());
  }

  /** Whether it is to be measured, and nothing measures it. */
  get lost(): boolean {
    return this.refusal === undefined && this.subject === undefined;
  }

  private forget(): void {
    this.good = undefined;
    this.drain = this.measured?.drain && new Drain(this.measured.drain);
    this.heard = undefined;
    this.coldUntilMs = this.host.now() + this.host.coldReadTimeoutMs;
  }

  // --- What it says.

  /** From memory; the first call of a cold trigger waits for its first reading. Rejects with ScalerError where nothing is known. */
  async answer(caller: { readonly signal: AbortSignal }): Promise<Answer> {
    if (this.cold()) await this.warm(caller.signal);
    const nowMs = this.host.now();
    this.look(nowMs);
    return this.answerNow(nowMs);
  }

  /** Resolves when it is cold no more, or the signal aborts. */
  private async warm(signal: AbortSignal): Promise<void> {
    // A configuration that moves the trigger makes it cold again, but calls that wait already do not wait longer.
    const untilMs = this.host.now() + this.host.coldReadTimeoutMs;
    while (this.cold() && this.host.now() < untilMs && !signal.aborted) {
      await this.settled(signal, Math.min(untilMs, this.coldUntilMs));
    }
  }

  /** Throws ScalerError where it is refused, nothing is known, or what is known is too old. */
  private answerNow(nowMs: number): Answer {
    const measured = this.sound();
    const { maxStalenessMs } = measured;
    const { good } = this;
    if (!good) throw this.unknown('nothing has been read yet');
    const ageMs = this.ageMs(nowMs);
    if (ageMs > maxStalenessMs) {
      throw this.unknown(
        `the last good reading is ${Math.floor(ageMs / 1000)} s old, more than maxStalenessSeconds (${maxStalenessMs / 1000})`,
      );
    }
    if (good.kind === 'active') return { kind: 'uncounted', active: true, why: good.why };
    if (this.unsettled) return { kind: 'uncounted', active: this.wasActive === true, why: notSettled };
    return { kind: 'known', ...this.metricOf(good, measured), ageMs };
  }

  /** Whether `policy: drain` has not seen enough yet to give a number. */
  private get unsettled(): boolean {
    return this.drain !== undefined && !this.drain.now.settled;
  }

  private unknown(situation: string): ScalerError {
    const { error, label } = this;
    if (!error) return new ScalerError('unavailable', `${label}: ${situation}`);
    return error.within(`${label}: ${situation}`);
  }

  /** The activity that `answerNow` would return. Undefined means an error. */
  private activeNow(nowMs: number): boolean | undefined {
    return this.good && !this.refusal && this.ageMs(nowMs) <= this.maxStalenessMs
      ? this.wasActive
      : undefined;
  }

  /** Whether KEDA gets a number; undefined while it is too early to say that it does not. */
  private upNow(active: boolean | undefined, nowMs: number): boolean | undefined {
    const { good } = this;
    const counted = good?.kind === 'known' && isCount(good.items);
    if (counted && active !== undefined) return this.unsettled ? undefined : true;
    const early = (this.told.up === undefined || !good) && !this.refusal && nowMs < this.coldUntilMs;
    return early ? undefined : false;
  }

  /**
   * Notifies followers and the audit trail of changes. A reading grows too old without any event, so callers and a sweep check
   * too. `cause`: of the wake that led to the read, if any. `edge`: that read has found work.
   */
  look(nowMs = this.host.now(), cause?: string, edge = false): void {
    if (this.drain && this.good && !this.fault) this.drain.confirm(this.confirmedAtMs());
    const answered = this.activeNow(nowMs);
    const up = this.upNow(answered, nowMs);
    const active = answered ?? (edge || undefined);
    const { told } = this;
    if (active !== this.heard) {
      this.heard = active;
      if (active !== undefined) this.tell({ active, edge: active && told.active !== true });
    }
    if ((active === undefined || active === told.active) && up === told.up) return;
    const wasActive = told.active;
    for (const change of told.take(active, up, nowMs)) {
      // What was active when we first looked is no edge of ours to count.
      if (change.kind === 'activated' && wasActive === false && this.measured) this.host.edge(this.measured);
      this.decide(change, nowMs, cause);
    }
  }

  private tell(activity: Activity): void {
    for (const told of this.followers) told(activity);
  }

  private decide({ kind, lastedMs, surge }: Change, nowMs: number, cause?: string): void {
    const { good, measured, id, reference } = this;
    if (!measured) return;
    const { source, connection, metricName, target } = measured;
    const decision: Decision = {
      kind,
      trigger: { id, reference, source, connection, metricName, target },
      value:
        good?.kind === 'known' && this.told.up === true ? this.metricOf(good, measured).value : undefined,
      cause: cause ?? (lastedMs === undefined ? 'start' : 'clock'),
      ageMs: good && this.ageMs(nowMs),
      lastedMs,
      ...(surge && { surge }),
      error: kind === 'failing' ? this.whyNot(nowMs) : undefined,
      atMs: Date.now(),
    };
    this.host.decided(decision);
    const { cause: because, error } = decision;
    this.history.note({
      kind,
      atMs: nowMs,
      cause: because,
      ...(surge && { surge }),
      ...(error !== undefined && { error }),
    });
  }

  /** Why there is no number, in the words that KEDA gets. */
  private whyNot(nowMs: number): string | undefined {
    try {
      const answer = this.answerNow(nowMs);
      return answer.kind === 'uncounted' ? answer.why : undefined;
    } catch (reason) {
      return ScalerError.from(reason).message;
    }
  }

  /** Age of the last good reading; while it is the newest, whatever confirms the snapshot confirms it too. */
  private ageMs(nowMs: number): number {
    return this.good ? Math.max(0, nowMs - this.confirmedAtMs()) : Number.POSITIVE_INFINITY;
  }

  private confirmedAtMs(): number {
    const { goodConfirmedAtMs, subject } = this;
    if (this.fault || !subject || this.readOf !== subject) return goodConfirmedAtMs;
    return Math.max(goodConfirmedAtMs, subject.confirmedAtMs());
  }

  /** A read that failed is newer than what the newest snapshot lacks. */
  private get error(): ScalerError | undefined {
    return this.subject?.error ?? this.fault;
  }

  status(nowMs: number): TriggerStatus {
    const now = this.readAt(nowMs);
    const { read } = now;
    const detail = read && attempt(() => this.detailOf(read));
    return {
      ...this.summary(nowMs, now),
      ...(detail && !(detail instanceof ScalerError) && { detail }),
    };
  }

  summary(nowMs: number, { active, up, read, value } = this.readAt(nowMs)): TriggerSummary {
    const { id, reference, measured, refusal, lastWake, lastNudgeAtMs, lastError } = this;
    const ageMs = this.ageMs(nowMs);
    const error = refusal ?? this.error;
    const surge = this.surgeState(nowMs);
    return {
      id,
      namespace: reference.namespace,
      name: reference.name,
      source: measured?.source.kind ?? '',
      connection: measured?.connection.name ?? '',
      metricName: measured?.metricName ?? '',
      up,
      ...(measured && !refusal && { target: measured.target.perReplica }),
      ...(read && { items: read.items }),
      ...(value !== undefined && measured && { value, desired: replicasFor({ value, ...measured.target }) }),
      ...(read && this.drain && { drain: this.drain.now }),
      ...(read?.oldest && { oldest: oldestAt(read.oldest, nowMs) }),
      ...(active !== undefined && { active }),
      ...(Number.isFinite(ageMs) && { ageMs }),
      ...(error ? { error: error.message } : {}),
      ...(surge && { surge }),
      ...(lastWake && { lastWake: { cause: lastWake.cause, ageMs: nowMs - lastWake.atMs } }),
      ...(lastNudgeAtMs !== undefined && { lastNudge: { ageMs: nowMs - lastNudgeAtMs } }),
      ...(lastError &&
        !error && { lastError: { message: lastError.message, ageMs: nowMs - lastError.atMs } }),
    };
  }

  /** What is read and said of it now. */
  private readAt(nowMs: number): {
    active: boolean | undefined;
    up: boolean;
    read: Known | undefined;
    value: number | undefined;
  } {
    const { good, measured } = this;
    const active = this.activeNow(nowMs);
    const up = this.upNow(active, nowMs) === true;
    const read = active !== undefined && good?.kind === 'known' && isCount(good.items) ? good : undefined;
    const value = up && read && measured ? this.metricOf(read, measured).value : undefined;
    return { active, up, read, value };
  }

  // --- Its past.

  /** A reading has grown too old, which no event tells. */
  grownOlder(nowMs: number): void {
    this.look(nowMs);
    this.record(nowMs);
  }

  /** The last so many ms, as far as they are kept. */
  past(lastMs: number, nowMs: number): Past {
    const fromMs = Math.max(0, nowMs - lastMs);
    this.record(nowMs);
    return {
      points: this.history.pointsSince(fromMs, nowMs),
      events: this.history.eventsSince(fromMs),
    };
  }

  forgetPast(): void {
    this.history.forget();
  }

  private record(nowMs: number): void {
    const { measured, refusal } = this;
    const error = refusal ?? this.error;
    if (error) this.lastError = { message: error.message, atMs: nowMs };
    const { active, read, value } = this.readAt(nowMs);
    const target = refusal ? undefined : measured?.target.perReplica;
    this.history.record({ backlog: read?.items, value, target, active, flow: read?.flow }, nowMs);
  }

  /** The working behind its number: the source's, and what became of that. */
  private detailOf(read: Known): Detail {
    const { headroom, ignored = [] } = this.measured ?? {};
    return {
      ...read.detail(),
      ...(this.drain && describeDrain(this.drain.now)),
      ...(ignored.length > 0 && { ignored: ignored.join(', ') }),
      ...(headroom && headroom.replicas > 0 && this.wasActive && { headroomReplicas: headroom.replicas }),
    };
  }

  /** The parts of its number at the time of the read. Undefined without a number, or if it is too old. */
  working(nowMs: number): Working | undefined {
    const { good } = this;
    if (this.activeNow(nowMs) === undefined || !good || (good.kind === 'known' && !isCount(good.items)))
      return undefined;
    const working = attempt(() => good.working?.());
    return working instanceof ScalerError ? undefined : working;
  }

  // --- Its surges.

  /** A GetMetrics was given this value. */
  looked(value: number): void {
    const nowMs = this.host.now();
    const before = this.hpaReplicas;
    if (!this.checkedSince && nowMs - this.lookedAtMs > pairMs) this.host.others.missed();
    this.lookedAtMs = nowMs;
    this.checkedSince = false;
    this.takeLook(value, nowMs);
    const isNews = this.hpaReplicas !== before || nowMs < this.tellLooksUntilMs;
    if (isNews && this.measured?.surge) this.host.nudges.tell({ kind: 'looked', id: this.id, value });
  }

  /** An IsActive was answered. */
  checked(): void {
    this.checkedSince = true;
    if (this.host.now() - this.lookedAtMs > pairMs) this.host.others.missed();
  }

  /** News of its surge from another pod. */
  hear(news: SurgeNews): void {
    const nowMs = this.host.now();
    if (news.kind === 'nudged') this.tellLooksUntilMs = nowMs + tellLooksMs;
    else if (news.kind === 'looked') this.takeLook(news.value, nowMs, true);
    else {
      this.host.nudges.pushedElsewhere();
      this.startedAtMs = nowMs;
      this.grow(nowMs);
    }
  }

  private takeLook(value: number, nowMs: number, elsewhere = false): void {
    if (!this.measured) return;
    const demand = { value, perReplica: this.measured.target.perReplica };
    const replicas = replicasFor(demand);
    if (replicas > 0 && !this.nudged) {
      this.startedAtMs = nowMs;
      this.grow(nowMs);
    }
    this.hpaReplicas = replicas;
    if (this.surge) this.host.nudges.looked(this, demand, elsewhere);
  }

  private grow(nowMs: number, cause?: string): void {
    if (!this.nudged) return;
    const pushedAtMs = this.followers.length > 0 ? this.told.activeSinceMs : this.startedAtMs;
    this.host.nudges.grown(this, { nowMs, pushedAtMs, cause });
  }

  /** What may make the HPA look; undefined where it may not, or nothing fresh says how much waits. */
  demandNow(nowMs: number): Demand | undefined {
    const { measured } = this;
    if (!measured?.surge || this.refusal || this.error || this.good?.kind !== 'known') return undefined;
    const { perReplica } = measured.target;
    const answer = canBeNudged(perReplica) ? attempt(() => this.answerNow(nowMs)) : undefined;
    return answer && 'value' in answer ? { value: answer.value, perReplica } : undefined;
  }

  sayTarget(nudge: Nudge): void {
    const { measured } = this;
    if (!measured) return;
    const { metricName, target } = measured;
    if (nudge !== 0) this.lastNudgeAtMs = this.host.now();
    for (const told of this.specFollowers) told(nudge === 0 ? measured : { metricName, target, nudge });
  }

  surged(surge: SurgeCourse, nowMs: number, cause: string | undefined): void {
    this.decide({ kind: 'surged', lastedMs: undefined, surge }, nowMs, cause ?? 'clock');
  }

  /**
   * Whether KEDA follows its spec here and starts it at an edge, by StreamIsActive here or in another pod. While KEDA waits to
   * open that again, an edge has no first replica, and an HPA of none does not look: nobody would answer, and the cluster would
   * be suspected.
   */
  private get nudged(): boolean {
    if (this.specFollowers.length === 0) return false;
    return this.followers.length > 0 || this.startedAtMs !== Number.NEGATIVE_INFINITY;
  }

  private surgeState(nowMs: number): SurgeState | undefined {
    const { measured, surge } = this;
    if (!measured || this.refusal) return undefined;
    if (!measured.surge || !canBeNudged(measured.target.perReplica)) return 'off';
    if (!this.nudged) return 'no stream';
    return this.host.nudges.stateOf(surge, nowMs);
  }

  // --- Those who wait for it and follow it.

  /** Whether the first reading, or word that it failed, is still to come. */
  private cold(): boolean {
    return !this.good && !this.refusal && !this.error && this.host.now() < this.coldUntilMs;
  }

  /** Resolves at the next reading or failure, at that time, or when the signal aborts. */
  private async settled(signal: AbortSignal, untilMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiting?.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, untilMs - this.host.now()));
      signal.addEventListener('abort', done);
      this.waiting ??= new Set();
      this.waiting.add(done);
    });
  }

  private settle(): void {
    for (const wake of this.waiting ?? []) wake();
    this.waiting = undefined;
  }

  /**
   * Until the returned function is called; the trigger is kept meanwhile. `told` hears the present state as soon as
   * there is an answer, at once if there is one, and every change after that; never an error. Must not throw. Throws
   * ScalerError `exhausted` where there are `mostFollowers`.
   */
  follow(told: (activity: Activity) => void): () => void {
    this.checkRoom(this.followers);
    // So that those who follow already miss nothing.
    this.look();
    this.followers = [...this.followers, told];
    const active = this.heard;
    if (active !== undefined) told({ active, edge: false });
    return () => {
      this.followers = this.without(this.followers, told);
    };
  }

  /** The same for its spec: told at once, and when a changed configuration changes it. */
  followSpec(told: (spec: Spec) => void): () => void {
    this.checkRoom(this.specFollowers);
    told(this.sound());
    this.host.nudges.followed();
    this.specFollowers = [...this.specFollowers, told];
    return () => {
      this.specFollowers = this.without(this.specFollowers, told);
      if (this.specFollowers.length === 0) this.host.nudges.lost(this);
    };
  }

  private checkRoom({ length }: readonly unknown[]): void {
    if (length < mostFollowers) return;
    throw new ScalerError(
      'exhausted',
      `${this.label}: ${length} streams of this kind are open already, and KEDA needs one`,
    );
  }

  private without<T>(followers: readonly T[], gone: T): readonly T[] {
    const left = followers.filter((one) => one !== gone);
    if (left.length < followers.length) this.lastAskedMs = this.host.now();
    return left.length === 0 ? none : left;
  }

  // --- How long it is kept: KEDA has no call that says a ScaledObject is gone.

  /** Somebody has asked for it. */
  renew(): void {
    const nowMs = this.host.now();
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastAskedMs);
    this.lastAskedMs = nowMs;
  }

  get followed(): boolean {
    return this.followers.length + this.specFollowers.length > 0;
  }

  get askedAtMs(): number {
    return this.lastAskedMs;
  }

  /** Whether nobody follows it, and nobody has asked for it within three of its own gaps, at least and at most so long. */
  abandoned(nowMs: number, leastMs: number, mostMs: number): boolean {
    if (this.followed) return false;
    const leaseMs = Math.min(Math.max(leastMs, 3 * this.longestGapMs), Math.max(leastMs, mostMs));
    return nowMs - this.lastAskedMs > leaseMs;
  }
}

const notSettled = `policy: drain sees for ${settleMs / 1000} s what comes before it says how many replicas that needs`;

function isCount(items: number): boolean {
  return Number.isFinite(items) && items >= 0;
}

function oldestAt({ sinceMs, atLeast }: Oldest, nowMs: number): { ageMs: number; atLeast: boolean } {
  return { ageMs: Math.max(0, nowMs - sinceMs), atLeast };
}

const none: readonly never[] = [];
