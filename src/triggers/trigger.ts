import { attempt, ScalerError } from '../errors.ts';
import type { Demand } from '../scaling/metric.ts';
import type { Working } from '../sources/working.ts';
import { Waiters } from '../waiters.ts';
import type { Change, Decided, SurgeCourse } from './decision.ts';
import {
  type Activity,
  type Followed,
  type Followers,
  type Following,
  follow,
  nobody,
  type Spec,
} from './followers.ts';
import type { Histories } from './history.ts';
import { type Answer, type Measurable, Measurement, type MeasurementHost } from './measurement.ts';
import { ownerOf, type Reference } from './reference.ts';
import type { Measured } from './resolve.ts';
import { type Growing, Surges, type SurgesHost } from './surges.ts';
import { type Past, Trail } from './trail.ts';
import {
  type Remembered,
  statusOf,
  summaryOf,
  type TriggerStatus,
  type TriggerSummary,
  workingOf,
} from './trigger-status.ts';

/** What a trigger needs of those that it lives among. */
export interface TriggerHost extends MeasurementHost, SurgesHost {
  readonly histories: Histories;
  readonly decided: Decided;
  /** The trigger went from inactive to active. */
  edge(measured: Measured): void;
}

/**
 * One live reference. Resolved, it is *measured* or *refused*. All who ask about it (unary calls, both streams,
 * `/api/triggers`, metrics, decisions) get what its one `measurement` says.
 */
export class Trigger implements Measurable, Growing, Followed<Activity> {
  readonly id: string;
  readonly reference: Reference;
  /** The last outcome of resolving that was no refusal; while it is refused, that of before. Undefined: there was none. */
  measured: Measured | undefined;
  /** Why it is refused. Undefined if it is measured. */
  refusal: ScalerError | undefined;
  /** The configuration that it was last resolved under, by its number. */
  generation = 0;
  readonly measurement: Measurement;
  readonly surges: Surges;
  followers: Followers<Activity> = nobody;
  private readonly trail: Trail;
  private readonly host: TriggerHost;
  /** What followers know; undefined where they know nothing, or what they knew is too old. */
  private heard: boolean | undefined;
  /** Only there while somebody waits. */
  private waiters: Waiters | undefined;
  private lastAskedMs: number;
  private longestGapMs: number;

  /** `lastAskedMs`: when it was last asked for in an earlier life, so that the gap between its calls is known. */
  constructor(id: string, reference: Reference, host: TriggerHost, lastAskedMs?: number) {
    const nowMs = host.now();
    this.id = id;
    this.reference = reference;
    this.host = host;
    this.longestGapMs = nowMs - (lastAskedMs ?? nowMs);
    this.lastAskedMs = nowMs;
    this.measurement = new Measurement(this, host);
    this.surges = new Surges(this, host);
    this.trail = new Trail(reference.namespace, host.histories);
  }

  /** `kafka trigger of shop/orders-worker`: how messages name a trigger. */
  get label(): string {
    const kind = this.measured ? `${this.measured.source.kind} ` : '';
    return `${kind}trigger of ${ownerOf(this.reference)}`;
  }

  // --- Its resolution.

  /** The reference was resolved, for the first time or differently. Followers of the spec get it. */
  measure(measured: Measured): void {
    const before = this.measured;
    this.measured = measured;
    this.refusal = undefined;
    this.measurement.begin();
    const same =
      before?.metricName === measured.metricName && before.target.perReplica === measured.target.perReplica;
    if (before && !same) this.surges.sayTarget(0);
  }

  /** The reference cannot be used as the configuration is now: nothing is answered or pushed until it can. */
  refuse(error: ScalerError): void {
    const nowMs = this.host.now();
    this.measurement.leave();
    this.refusal = error;
    this.changed(nowMs);
    if (this.measured) this.trail.refused(error, nowMs);
    this.record(nowMs);
  }

  /** Whether it is to be measured, and nothing measures it. */
  get lost(): boolean {
    return this.refusal === undefined && !this.measurement.hasSubject;
  }

  // --- What it says.

  /** Throws ScalerError where the trigger is refused. */
  get spec(): Spec {
    if (this.refusal) throw this.refusal;
    if (!this.measured) throw new ScalerError('unavailable', `${this.label}: is not resolved yet`);
    return this.measured;
  }

  /** From memory; the first call of a cold trigger waits for its first reading. Rejects with ScalerError where nothing is known. */
  async answer(caller: { readonly signal: AbortSignal }): Promise<Answer> {
    if (this.measurement.isCold) await this.warm(caller.signal);
    const nowMs = this.host.now();
    this.look(nowMs);
    return this.measurement.answer(nowMs);
  }

  /** Resolves when it is cold no more, or the signal aborts. */
  private async warm(signal: AbortSignal): Promise<void> {
    const { measurement, host } = this;
    // A configuration that moves the trigger makes it cold again, but calls that wait already do not wait longer.
    const untilMs = host.now() + host.coldReadTimeoutMs;
    while (measurement.isCold && host.now() < untilMs && !signal.aborted) {
      this.waiters ??= new Waiters();
      await this.waiters.wait(Math.min(untilMs, measurement.coldUntilMs) - host.now(), signal);
    }
  }

  status(nowMs: number): TriggerStatus {
    return statusOf(this.measurement.at(nowMs), this.remembered(nowMs));
  }

  summary(nowMs: number): TriggerSummary {
    return summaryOf(this.measurement.at(nowMs), this.remembered(nowMs));
  }

  /** The parts of its number at the time of the read. Undefined without a number, or if it is too old. */
  working(nowMs: number): Working | undefined {
    return workingOf(this.measurement.at(nowMs));
  }

  private remembered(nowMs: number): Remembered {
    const { lastWake, lastError } = this.trail;
    const { lastNudgeAtMs } = this.surges;
    return { surge: this.surges.stateAt(nowMs), lastNudgeAtMs, lastWake, lastError };
  }

  // --- What changes it, and who hears of that.

  read(nowMs: number, edge: boolean, cause: string | undefined): void {
    this.changed(nowMs, cause, edge);
    // Only now: `true` goes out first.
    this.surges.read(nowMs, edge, cause);
    this.record(nowMs, cause);
  }

  failed(nowMs: number, cause?: string): void {
    this.changed(nowMs, cause);
    this.record(nowMs);
  }

  forgot(): void {
    this.heard = undefined;
  }

  /** A reading has grown too old, which no event tells. */
  grownOlder(nowMs: number): void {
    this.look(nowMs);
    this.record(nowMs);
  }

  private changed(nowMs: number, cause?: string, edge = false): void {
    const { waiters } = this;
    this.waiters = undefined;
    waiters?.wake();
    this.look(nowMs, cause, edge);
  }

  /**
   * Notifies followers and the audit trail of changes. A reading grows too old without any event, so callers and a sweep check
   * too. `cause`: of the wake that led to the read, if any. `edge`: that read has found work, which is certain, also where
   * the number is too old to be given.
   */
  private look(nowMs: number, cause?: string, edge = false): void {
    const { measurement } = this;
    const { told } = this.trail;
    measurement.confirm();
    const answered = measurement.activeAt(nowMs);
    const up = measurement.upAt(nowMs, answered, told.up);
    const active = answered ?? (edge || undefined);
    if (active !== this.heard) {
      this.heard = active;
      if (active !== undefined) {
        const activity = { active, edge: active && told.active !== true };
        for (const follow of this.followers) follow(activity);
      }
    }
    if ((active === undefined || active === told.active) && up === told.up) return;
    const wasActive = told.active;
    for (const change of told.take(active, up, nowMs)) {
      // What was active when we first looked is no edge of ours to count.
      if (change.kind === 'activated' && wasActive === false && this.measured) this.host.edge(this.measured);
      this.decide(change, nowMs, cause);
    }
  }

  private decide(change: Change, nowMs: number, cause: string | undefined): void {
    const why = change.kind === 'failing' ? this.whyNot(nowMs) : undefined;
    const decision = this.trail.decide(change, this.measurement.at(nowMs), cause, why);
    if (decision) this.host.decided(decision);
  }

  /** Why there is no number, in the words that KEDA gets. */
  private whyNot(nowMs: number): string | undefined {
    const answer = attempt(() => this.measurement.answer(nowMs));
    if (answer instanceof ScalerError) return answer.message;
    return answer.kind === 'uncounted' ? answer.why : undefined;
  }

  private record(nowMs: number, cause?: string): void {
    this.trail.record(this.measurement.at(nowMs), cause);
  }

  /** The last so many ms, as far as they are kept. */
  past(lastMs: number, nowMs: number): Past {
    this.record(nowMs);
    return this.trail.past(lastMs, nowMs);
  }

  /** It is not live any more. */
  end(): void {
    this.measurement.leave();
    this.trail.forget();
  }

  // --- Its surges.

  /** A GetMetrics was given this value. */
  looked(value: number): void {
    this.surges.looked(value);
  }

  /** An IsActive was answered. */
  checked(): void {
    this.surges.checked();
  }

  get isPushed(): boolean {
    return this.followers.length > 0;
  }

  get activeSinceMs(): number {
    return this.trail.told.activeSinceMs;
  }

  demandAt(nowMs: number): Demand | undefined {
    return this.measurement.demandAt(nowMs);
  }

  surged(surge: SurgeCourse, nowMs: number, cause = 'clock'): void {
    this.decide({ kind: 'surged', lastedMs: undefined, surge }, nowMs, cause);
  }

  // --- Those who follow it.

  /**
   * Until the returned function is called; the trigger is kept meanwhile. `told` hears the present state as soon as
   * there is an answer, at once if there is one, and every change after that; never an error. Must not throw. Throws
   * ScalerError `exhausted` where there are `mostFollowers`.
   */
  follow(told: Following<Activity>): () => void {
    // So that those who follow already miss nothing.
    this.look(this.host.now());
    const unfollow = follow(this, told);
    const active = this.heard;
    if (active !== undefined) told({ active, edge: false });
    return unfollow;
  }

  /** The same for its spec: told at once, when a changed configuration changes it, and when the HPA is to look. */
  followSpec(told: Following<Spec>): () => void {
    return this.surges.follow(this.spec, told);
  }

  get followed(): boolean {
    return this.isPushed || this.surges.isFollowed;
  }

  unfollowed(): void {
    this.lastAskedMs = this.host.now();
  }

  // --- How long it is kept: KEDA has no call that says a ScaledObject is gone.

  /** Somebody has asked for it. */
  renew(): void {
    const nowMs = this.host.now();
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastAskedMs);
    this.lastAskedMs = nowMs;
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
