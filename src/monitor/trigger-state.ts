import { ScalerError } from '../errors.ts';
import { toMetric } from '../scaling/metric.ts';
import type { Reading } from '../sources/source.ts';
import { describe, type Trigger } from '../trigger/trigger.ts';
import type { Activity, Answer } from './answer.ts';
import type { Decided, Decision } from './decision.ts';
import type { Lease } from './lease.ts';
import { type Change, Told } from './told.ts';

type Good = Exclude<Reading, { kind: 'unknown' }>;

/** What a trigger asks of whatever measures its subject. */
export interface Confirming {
  /** When the source last confirmed the newest snapshot. */
  confirmedAtMs(): number;
  /** Why the subject cannot be read now. */
  readonly error: ScalerError | undefined;
}

/**
 * One live trigger: its last good reading, its activity, who follows it and how long it is kept. It outlives
 * its monitor: after a changed configuration it moves to another and goes on serving what it knows.
 */
export class TriggerState {
  trigger: Trigger;
  readonly lease: Lease;
  /** Until when a caller may wait for the first reading. */
  readonly coldUntilMs: number;
  /** Undefined while the trigger has no connection to be measured through. */
  monitor: Confirming | undefined;

  private good: Good | undefined;
  private goodConfirmedAtMs = 0;
  /** Why the newest snapshot gives no reading, or why there is no monitor. */
  private fault: ScalerError | undefined;
  private active: boolean | undefined;
  private readonly told = new Told();
  private readonly decided: Decided;
  private readonly followers = new Set<(activity: Activity) => void>();
  /** Only there while somebody waits: there are tens of thousands of triggers. */
  private waiting: Set<() => void> | undefined;

  constructor(trigger: Trigger, lease: Lease, coldUntilMs: number, decided: Decided) {
    this.trigger = trigger;
    this.lease = lease;
    this.coldUntilMs = coldUntilMs;
    this.decided = decided;
  }

  get wasActive(): boolean | undefined {
    return this.active;
  }

  /** Takes the reading of a new snapshot; true when it is an edge. */
  take(reading: Reading, confirmedAtMs: number): boolean {
    let edge = false;
    if (reading.kind === 'unknown') {
      this.fault = reading.error;
    } else {
      this.fault = undefined;
      this.good = reading;
      this.goodConfirmedAtMs = confirmedAtMs;
      edge = this.become(reading.kind === 'active' || reading.active);
    }
    this.settle();
    return edge;
  }

  /** The subject could not be read: nothing changes but that nobody need wait any longer. */
  failed(): void {
    this.settle();
  }

  /** There is no connection for it any more. */
  lose(fault: ScalerError): void {
    this.monitor = undefined;
    this.fault = fault;
    this.settle();
  }

  /** The same reference under a changed configuration. */
  moveTo(trigger: Trigger): void {
    this.trigger = trigger;
    this.fault = undefined;
  }

  private become(active: boolean): boolean {
    const before = this.active;
    if (before === active) return false;
    this.active = active;
    for (const told of this.followers) told({ active, edge: active });
    // What was active when we first looked is no edge of ours to count.
    return active && before === false;
  }

  private settle(): void {
    for (const wake of this.waiting ?? []) wake();
    this.waiting = undefined;
  }

  /** From memory; throws ScalerError where nothing is known, or it is too old. */
  answer(nowMs: number): Answer {
    const { error } = this;
    if (!this.good) throw this.unknown(error, 'nothing has been read yet');
    const reading = this.good;
    const ageMs = this.ageMs(nowMs);
    if (ageMs > this.trigger.maxStalenessMs) {
      const limit = this.trigger.maxStalenessMs / 1000;
      throw this.unknown(
        error,
        `the last good reading is ${Math.floor(ageMs / 1000)} s old, more than maxStalenessSeconds (${limit})`,
      );
    }
    if (reading.kind === 'active') return { kind: 'active', why: reading.why };
    return { kind: 'known', ...toMetric(reading), ageMs };
  }

  /**
   * Tells what has come to be other than it was told. A reading grows too old without any event: whoever asks
   * and the board's sweep look as well. `cause`: of the read, where a wake led to it.
   */
  look(nowMs: number, cause?: string): void {
    const up = this.up(nowMs);
    if (!this.told.differs(this.active, up)) return;
    for (const change of this.told.take(this.active, up, nowMs)) {
      this.decided(this.decision(change, nowMs, cause));
    }
  }

  /** Whether KEDA gets a number; undefined while it is too early to say that it does not. */
  private up(nowMs: number): boolean | undefined {
    const { good, trigger } = this;
    const counted = good?.kind === 'known' && Number.isFinite(good.items) && good.items >= 0;
    if (counted && this.ageMs(nowMs) <= trigger.maxStalenessMs) return true;
    return this.told.upYet === undefined && nowMs < this.coldUntilMs ? undefined : false;
  }

  private decision({ kind, lastedMs }: Change, nowMs: number, cause?: string): Decision {
    const { trigger, good } = this;
    const known = good?.kind === 'known' && this.told.upYet === true;
    return {
      kind,
      trigger,
      value: known ? good.items : undefined,
      cause: cause ?? (lastedMs === undefined ? 'start' : 'clock'),
      ageMs: good && this.ageMs(nowMs),
      lastedMs,
      error: kind === 'failing' ? this.whyNot(nowMs) : undefined,
      atMs: Date.now(),
    };
  }

  /** Why there is no number, in the words that KEDA gets. */
  private whyNot(nowMs: number): string | undefined {
    try {
      const answer = this.answer(nowMs);
      return answer.kind === 'active' ? answer.why : undefined;
    } catch (reason) {
      return ScalerError.from(reason).message;
    }
  }

  private unknown(error: ScalerError | undefined, situation: string): ScalerError {
    const unread = new ScalerError('unavailable', situation);
    if (!error) return unread.within(describe(this.trigger));
    return error.within(`${describe(this.trigger)}: ${situation}`);
  }

  /** Age of the last good reading; while it is the newest, whatever confirms the snapshot confirms it too. */
  ageMs(nowMs: number): number {
    if (!this.good) return Number.POSITIVE_INFINITY;
    const confirmedAtMs = this.fault
      ? this.goodConfirmedAtMs
      : Math.max(this.goodConfirmedAtMs, this.monitor?.confirmedAtMs() ?? 0);
    return Math.max(0, nowMs - confirmedAtMs);
  }

  get reading(): Good | undefined {
    return this.good;
  }

  /** A read that failed is newer than what the newest snapshot lacks. */
  get error(): ScalerError | undefined {
    return this.monitor?.error ?? this.fault;
  }

  /** Whether the first reading, or word that it failed, is still to come. */
  cold(nowMs: number): boolean {
    return !this.good && !this.error && nowMs < this.coldUntilMs;
  }

  /** Resolves at the next reading or failure, at the end of the cold time, or when the signal aborts. */
  async settled(nowMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiting?.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, this.coldUntilMs - nowMs));
      signal.addEventListener('abort', done);
      this.waiting ??= new Set();
      this.waiting.add(done);
    });
  }

  /** Until the returned function is called; the lease holds meanwhile. */
  follow(told: (activity: Activity) => void, now: () => number): () => void {
    this.followers.add(told);
    if (this.active !== undefined) told({ active: this.active, edge: false });
    return () => {
      if (this.followers.delete(told)) this.lease.held(now());
    };
  }

  /** Whether nobody follows it, and nobody has asked for it within its lease. */
  abandoned(nowMs: number): boolean {
    return this.followers.size === 0 && this.lease.expired(nowMs);
  }
}
