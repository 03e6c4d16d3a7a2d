import { attempt, ScalerError } from '../errors.ts';
import { Drain, sampleOf, settleMs } from '../scaling/drain.ts';
import { type Demand, type Metric, toMetric, withHeadroom } from '../scaling/metric.ts';
import type { Reading } from '../sources/source.ts';
import type { Member, Subject } from '../subjects/subject.ts';
import type { Reference } from './reference.ts';
import type { Measured } from './resolve.ts';
import type { Standing } from './trigger-status.ts';

/** What a trigger's reading comes to, for KEDA. */
export type Answer =
  | { kind: 'known'; value: number; active: boolean }
  /** Activity can be answered, the number cannot. */
  | { kind: 'uncounted'; active: boolean; why: string };

/** The trigger that is measured. */
export interface Measurable {
  readonly id: string;
  readonly reference: Reference;
  readonly label: string;
  /** What is to be measured. Undefined before it was resolved. */
  readonly measured: Measured | undefined;
  /** Why nothing may be answered. */
  readonly refusal: ScalerError | undefined;
  /** There is a new reading. `edge`: the first that has found work. `cause`: of the wake that led to it. */
  read(nowMs: number, edge: boolean, cause: string | undefined): void;
  /** There is no reading. */
  failed(nowMs: number, cause?: string): void;
  /** What was known is of another place: it counts no more. */
  forgot(): void;
}

export interface MeasurementHost {
  now(): number;
  readonly coldReadTimeoutMs: number;
}

type Good = Exclude<Reading, { kind: 'unknown' }>;

/** The measuring of one trigger: the subject that it is a member of, its last good reading, and what KEDA gets for that. */
export class Measurement implements Member {
  private readonly of: Measurable;
  private readonly host: MeasurementHost;
  private subject: Subject | undefined;
  /** Where it was last measured, and by which subject: a reading of any other is not this trigger's. */
  private place: string | undefined;
  private subjectKey: string | undefined;
  private good: Good | undefined;
  private goodConfirmedAtMs = 0;
  /** The subject that the newest snapshot is of: what confirms another one says nothing of the reading. */
  private readOf: Subject | undefined;
  /** Why the newest snapshot gives no reading, or why there is no subject. */
  private fault: ScalerError | undefined;
  /** Under `policy: drain`. */
  private drain: Drain | undefined;
  /** Until when a caller may wait for the first reading. */
  coldUntilMs: number;

  constructor(of: Measurable, host: MeasurementHost) {
    this.of = of;
    this.host = host;
    this.coldUntilMs = host.now() + host.coldReadTimeoutMs;
  }

  // --- Its place among the members of a subject.

  /**
   * By a subject, which may be the present one. `place` is its connection's. Readings of another place or subject are
   * forgotten. `need`: what it needs of the subject.
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
    // What the subject reads from now on does not include it.
    this.readOf = undefined;
  }

  left(): void {
    this.subject = undefined;
  }

  /** It cannot be measured: its subject cannot be named, or its connection is not open. */
  lose(fault: ScalerError): void {
    this.leave();
    this.fault = fault;
    this.of.failed(this.host.now());
  }

  get hasSubject(): boolean {
    return this.subject !== undefined;
  }

  private forget(): void {
    this.good = undefined;
    this.drain = undefined;
    this.begin();
    this.coldUntilMs = this.host.now() + this.host.coldReadTimeoutMs;
    this.of.forgot();
  }

  /** It was resolved: what `policy: drain` has seen before stays. */
  begin(): void {
    const { measured } = this.of;
    this.drain ??= measured?.drain && new Drain(measured.drain);
  }

  get params(): unknown {
    return this.of.measured?.params;
  }

  get paramsKey(): string {
    return this.of.measured?.paramsKey ?? '';
  }

  get maxStalenessMs(): number {
    return this.of.measured?.maxStalenessMs ?? 0;
  }

  get wasActive(): boolean | undefined {
    const { good } = this;
    if (good?.kind !== 'known') return good && true;
    return good.active || (this.of.measured?.headroom.whenIdle === true && isCounted(good));
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
    const after = this.wasActive;
    this.of.read(nowMs, before === false && after === true, cause);
  }

  failed(nowMs: number, cause?: string): void {
    this.of.failed(nowMs, cause);
  }

  // --- What it comes to.

  /** Whether the first reading, or word that it failed, is still to come. */
  get isCold(): boolean {
    return !this.good && !this.of.refusal && !this.error && this.host.now() < this.coldUntilMs;
  }

  /** Throws ScalerError where the trigger is refused, nothing is known, or what is known is too old. */
  answer(nowMs: number): Answer {
    const { good } = this;
    const { measured, refusal } = this.of;
    if (refusal) throw refusal;
    if (!measured) throw this.unknown('is not resolved yet');
    if (!good) throw this.unknown('nothing has been read yet');
    if (!this.isFresh(nowMs)) {
      const seconds = Math.floor(this.ageMs(nowMs) / 1000);
      throw this.unknown(
        `the last good reading is ${seconds} s old, more than maxStalenessSeconds (${measured.maxStalenessMs / 1000})`,
      );
    }
    if (good.kind === 'active') return { kind: 'uncounted', active: true, why: good.why };
    if (this.unsettled) return { kind: 'uncounted', active: this.wasActive === true, why: notSettled };
    return { kind: 'known', ...this.metricOf(good, measured) };
  }

  /** The activity that `answer` would give. Undefined means an error. */
  activeAt(nowMs: number): boolean | undefined {
    return !this.of.refusal && this.isFresh(nowMs) ? this.wasActive : undefined;
  }

  /** Whether KEDA gets a number; undefined while it is too early to say that it does not. `before`: what was last said of that. */
  upAt(nowMs: number, active: boolean | undefined, before: boolean | undefined): boolean | undefined {
    const { good } = this;
    if (good?.kind === 'known' && isCounted(good) && active !== undefined)
      return this.unsettled ? undefined : true;
    const early = (before === undefined || !good) && !this.of.refusal && nowMs < this.coldUntilMs;
    return early ? undefined : false;
  }

  /** What is read and said of it. */
  at(nowMs: number): Standing {
    const { good } = this;
    const { id, reference, measured, refusal } = this.of;
    const active = this.activeAt(nowMs);
    const counted = good?.kind === 'known' && isCounted(good) ? good : undefined;
    const known = active === undefined ? undefined : counted;
    const up = known !== undefined && !this.unsettled;
    return {
      nowMs,
      id,
      reference,
      measured,
      refusal,
      reading: good?.kind === 'active' && active !== undefined ? good : known,
      active,
      up,
      value: up && measured ? this.metricOf(known, measured).value : undefined,
      ageMs: this.ageMs(nowMs),
      drain: this.drain?.now,
      error: refusal ?? this.error,
    };
  }

  /**
   * What it asks the HPA for; undefined where nothing fresh says so, or it is not active. KEDA may keep it at zero then, and
   * an HPA of no replicas does not look.
   */
  demandAt(nowMs: number): Demand | undefined {
    const { measured } = this.of;
    if (!measured || this.error || this.good?.kind !== 'known') return undefined;
    const answer = attempt(() => this.answer(nowMs));
    if (!('value' in answer) || !answer.active) return undefined;
    return { value: answer.value, perReplica: measured.target.perReplica };
  }

  /** What its source has confirmed since the last read is news for `policy: drain`. */
  confirm(): void {
    if (this.drain && this.good && !this.fault) this.drain.confirm(this.confirmedAtMs());
  }

  /** A read that failed is newer than what the newest snapshot lacks. */
  private get error(): ScalerError | undefined {
    return this.subject?.error ?? this.fault;
  }

  private unknown(situation: string): ScalerError {
    const { error } = this;
    const { label } = this.of;
    if (!error) return new ScalerError('unavailable', `${label}: ${situation}`);
    return error.within(`${label}: ${situation}`);
  }

  /** What KEDA gets for a reading. Throws ScalerError if there is no number of items. */
  private metricOf(good: Extract<Good, { kind: 'known' }>, { headroom, target }: Measured): Metric {
    const { perReplica } = target;
    const { drain } = this;
    const metric =
      drain && isCounted(good)
        ? { value: drain.now.desired, active: good.active }
        : toMetric(good, perReplica);
    return withHeadroom(metric, headroom, perReplica);
  }

  /** Whether `policy: drain` has not seen enough yet to give a number. */
  private get unsettled(): boolean {
    return this.drain !== undefined && !this.drain.now.settled;
  }

  /** Whether the last good reading is young enough. Its subject is asked only where the read alone is not. */
  private isFresh(nowMs: number): boolean {
    if (!this.good) return false;
    return nowMs - this.goodConfirmedAtMs <= this.maxStalenessMs || this.ageMs(nowMs) <= this.maxStalenessMs;
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
}

const notSettled = `policy: drain sees for ${settleMs / 1000} s what comes before it says how many replicas that needs`;

function isCounted({ items }: Extract<Good, { kind: 'known' }>): boolean {
  return Number.isFinite(items) && items >= 0;
}
