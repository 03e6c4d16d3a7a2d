import { attempt, ScalerError } from '../errors.ts';
import { backoffMs } from '../retry.ts';
import type {
  AnyConnection,
  AnySource,
  Delivered,
  Reading,
  Subject as SubjectRead,
  SubjectRef,
  SubjectView,
  Watch,
} from '../sources/source.ts';
import type { FailureLog } from './failure-log.ts';
import { nextOnBeat, spreadMs, watchRetryMs } from './schedule.ts';

/** A trigger, as the subject that it asks for sees it. */
export interface Member {
  readonly params: unknown;
  /** Equal for members that ask the same: they share a reading. */
  readonly paramsKey: string;
  readonly maxStalenessMs: number;
  /** As its last good reading has it; undefined before the first one. */
  readonly wasActive: boolean | undefined;
  /** A new reading. `cause`: of the wake that led to the read, if one did. */
  take(reading: Reading, confirmedAtMs: number, nowMs: number, cause?: string): void;
  /** The subject could not be read: nobody need wait any longer. */
  failed(nowMs: number, cause?: string): void;
  /** The subject is closed. */
  left(): void;
  /** It is measured by another subject of the same connection from now on. */
  moveTo(subject: Subject, need: unknown): void;
}

/** What a subject needs of the open connection that it belongs to. */
export interface SubjectHost {
  readonly source: AnySource;
  /** The connection's own settings, handed back to the source. */
  readonly config: unknown;
  readonly connection: AnyConnection;
  /** The least time between two reads that wakes cause. */
  readonly minReadMs: number;
  readonly failures: FailureLog;
  now(): number;
  random(): number;
  /** When the subject is due may have changed, or that it is urgent. */
  schedule(subject: Subject): void;
  /** A wake has come. */
  woken(cause: string): void;
  /** No trigger asks for the subject any more. */
  emptied(subject: Subject): void;
}

/**
 * - `idle`: nothing to do before `dueAtMs`.
 * - `due`: waits for its place in the next batch.
 * - `reading`: asked for, or what came is being evaluated.
 * - `closed`: for good.
 *
 *   idle ── clock, wake ──> due ── batch ──> reading ── result ──> idle
 *   each of them ── last member gone, connection closed ──> closed
 */
export type SubjectState = 'idle' | 'due' | 'reading' | 'closed';

interface Known {
  readonly snapshot: unknown;
  readonly history: unknown;
  readonly takenAtMs: number;
  readonly confirmedAtMs: number;
}

/** Why it cannot be read, and until when no wake may read it again. */
interface Failing {
  readonly error: ScalerError;
  readonly failures: number;
  readonly notBeforeMs: number;
}

/** What is measured once, for all the triggers that ask for it. Reading itself is the connection's: many at once. */
export class Subject {
  readonly key: string;
  readonly hintNames: readonly string[];
  dueAtMs: number;
  /** Whether an event waits for the next read: then it goes before what the clock has made due. */
  urgent = false;
  private current: SubjectState = 'idle';
  private readonly host: SubjectHost;
  /** The members, each with what it needs of the subject. */
  private readonly members = new Map<Member, unknown>();
  /** Distinct needs, counted, by their JSON; only there where a source has needs. */
  private needs: Map<string, { need: unknown; count: number }> | undefined;
  /** Members that need more than the newest read asked for: it says nothing of them. */
  private uncovered: Set<Member> | undefined;
  private known: Known | undefined;
  private failing: Failing | undefined;
  private readSinceMs = 0;
  /** A wake came that the read under way may not have seen. */
  private wokenAgain = false;
  private lastWakeReadAtMs = Number.NEGATIVE_INFINITY;
  /** Whether its reads have been moved away from those of the others that began with it. */
  private spread = false;
  /** The first wake that the next read is for, and that of the read under way. */
  private wakeCause: string | undefined;
  private readCause: string | undefined;
  private lastHintAtMs: number | undefined;
  private watch: Watch | undefined;
  private watchRetryAtMs = 0;
  /** How often in a row a watch was asked for and was not seen armed. */
  private watchAttempts = 0;
  /** Whether all members are known to be active: then a hint could bring no edge. */
  private allActive = false;

  constructor({ key, hintNames }: SubjectRef<unknown>, host: SubjectHost) {
    this.key = key;
    this.hintNames = hintNames;
    this.host = host;
    this.dueAtMs = host.now();
  }

  get state(): SubjectState {
    return this.current;
  }

  /** Whether nothing is known of it yet. */
  get isCold(): boolean {
    return this.known === undefined && this.failing === undefined;
  }

  /** Why it cannot be read now. */
  get error(): ScalerError | undefined {
    return this.failing?.error;
  }

  /** What the source gets for a read. */
  get asked(): SubjectRead<unknown> {
    const needs = this.needs === undefined ? [undefined] : [...this.needs.values()].map(({ need }) => need);
    return { key: this.key, needs, maxStalenessMs: this.smallestLimitMs() };
  }

  /** When the source last confirmed the newest snapshot: by a read, or by a watch that has seen nothing since. */
  confirmedAtMs(): number {
    const read = this.known?.confirmedAtMs ?? Number.NEGATIVE_INFINITY;
    if (this.watch?.state !== 'armed') return read;
    return Math.max(read, this.watch.confirmedAtMs ?? read);
  }

  /** A trigger joins; what is known already answers it, unless it needs more than was read, or something fresher. */
  join(member: Member, need: unknown): void {
    const isNew = this.addNeed(need);
    this.allActive = member.wasActive === true && (this.allActive || this.members.size === 0);
    this.members.set(member, need);
    const nowMs = this.host.now();
    if (isNew && (this.known || this.current === 'reading')) {
      this.uncovered ??= new Set();
      this.uncovered.add(member);
      this.dueAtMs = Math.max(nowMs, this.failing?.notBeforeMs ?? 0);
    } else if (this.known && nowMs - this.confirmedAtMs() > member.maxStalenessMs) {
      this.dueAtMs = Math.max(nowMs, this.failing?.notBeforeMs ?? 0);
    } else if (this.known) {
      this.evaluate(member, this.known);
      // It may ask for fresher readings than those before it.
      const fresherMs = Math.max(nowMs + member.maxStalenessMs / 2, this.failing?.notBeforeMs ?? 0);
      this.dueAtMs = Math.min(this.dueAtMs, fresherMs);
    } else if (this.failing) {
      member.failed(nowMs);
    }
    this.host.schedule(this);
  }

  /** A member may ask for fresher readings than it did before. */
  hasten({ maxStalenessMs }: Member): void {
    if (!this.known || this.dueAtMs - this.known.takenAtMs <= maxStalenessMs) return;
    const soonestMs = Math.max(this.host.now(), this.failing?.notBeforeMs ?? 0);
    this.dueAtMs = Math.max(soonestMs, this.known.takenAtMs + maxStalenessMs / 2);
    this.host.schedule(this);
  }

  /** It is another one, as was found out: all its members go there. */
  moveTo(other: Subject, need: unknown): void {
    for (const member of [...this.members.keys()]) member.moveTo(other, need);
  }

  leave(member: Member): void {
    if (!this.members.has(member)) return;
    this.removeNeed(this.members.get(member));
    this.members.delete(member);
    this.uncovered?.delete(member);
    if (this.members.size === 0) this.host.emptied(this);
  }

  /**
   * "Look now": the first at once, those that follow within the source's least interval as one, and none before a
   * source that failed may be asked again. A hint is only noted where it could bring no edge: what is active already
   * is read by its clock.
   */
  wake(cause: string, kind: 'event' | 'hint' = 'event', delayMs = 0): void {
    if (this.current === 'closed') return;
    const nowMs = this.host.now();
    if (kind === 'hint') {
      this.lastHintAtMs = nowMs + delayMs;
      if (this.current !== 'reading' && !this.failing && this.allActive) return;
    }
    this.wakeCause ??= cause;
    this.host.woken(cause);
    if (this.current === 'reading') this.wokenAgain = true;
    else this.dueForWake(nowMs + delayMs);
  }

  private dueForWake(soonestMs: number): void {
    const at = Math.max(
      soonestMs,
      this.lastWakeReadAtMs + this.host.minReadMs,
      this.failing?.notBeforeMs ?? Number.NEGATIVE_INFINITY,
    );
    this.urgent = true;
    this.dueAtMs = Math.min(this.dueAtMs, at);
    this.host.schedule(this);
  }

  /** Its time has come: it is in the next batch. */
  queued(): void {
    if (this.current === 'idle') this.current = 'due';
  }

  /** The connection has sent for it. */
  begin(nowMs: number): void {
    this.current = 'reading';
    this.uncovered = undefined;
    this.readSinceMs = nowMs;
    if (this.urgent) this.lastWakeReadAtMs = nowMs;
    this.urgent = false;
    this.wokenAgain = false;
    this.readCause = this.wakeCause;
    this.wakeCause = undefined;
  }

  /** Applies the result of a read, one member a step. After the last step the subject is idle again. */
  *settle(result: Delivered<unknown> | ScalerError): Generator<void, void> {
    // Closed meanwhile: nobody needs the result.
    if (this.current !== 'reading') return;
    const failure = result instanceof ScalerError ? result : yield* this.take(result);
    if (failure) yield* this.fail(failure);
    if (this.current !== 'reading') return;
    this.current = 'idle';
    if (this.uncovered) this.dueAtMs = Math.max(this.host.now(), this.failing?.notBeforeMs ?? 0);
    if (this.wokenAgain) {
      this.wokenAgain = false;
      this.dueForWake(this.host.now());
    } else {
      this.host.schedule(this);
    }
  }

  /** Gives the error where a rule of the source fails: this subject fails with it, and no other. */
  private *take({ snapshot, confirmedAtMs }: Delivered<unknown>): Generator<void, ScalerError | undefined> {
    const { source, config, failures } = this.host;
    const takenAtMs = this.readSinceMs;
    const history = attempt(() => source.fold(this.known?.history, snapshot, takenAtMs));
    if (history instanceof ScalerError) return history;
    const known = { snapshot, history, takenAtMs, confirmedAtMs: confirmedAtMs ?? takenAtMs };
    this.known = known;
    const before = this.failing;
    this.failing = undefined;
    const shared: SharedReadings | undefined = this.members.size > 1 ? new Map() : undefined;
    let active = false;
    let allActive = true;
    for (const member of this.members.keys()) {
      if (this.uncovered?.has(member)) continue;
      this.evaluate(member, known, shared, this.readCause);
      active ||= member.wasActive === true;
      allActive &&= member.wasActive === true;
      yield;
      if (this.current !== 'reading') return undefined;
    }
    this.allActive = allActive;
    const view = this.view(known);
    const paceView = { ...view, active, watch: this.watch?.state ?? 'none' } as const;
    const pace = attempt(() => source.pace(config, paceView));
    if (pace instanceof ScalerError) {
      this.failing = before;
      return pace;
    }
    if (before) failures.recovered(this.key);
    const caution = attempt(() => source.caution?.(history));
    if (!(caution instanceof ScalerError)) failures.caution(this.key, caution);
    this.keepWatch(pace.watch, view);
    this.dueAtMs = this.byClock(view.nowMs, Math.min(pace.nextReadMs, this.longestIntervalMs()));
    return undefined;
  }

  private view({ snapshot, history, takenAtMs }: Known): SubjectView<unknown, unknown> {
    return { snapshot, history, takenAtMs, nowMs: this.host.now(), lastHintAtMs: this.lastHintAtMs };
  }

  /** Members that ask the same share one reading: a thousand ScaledObjects of a subject cost what one costs. */
  private evaluate(member: Member, known: Known, shared?: SharedReadings, cause?: string): void {
    const { params, paramsKey, wasActive } = member;
    const view = this.view(known);
    const alike = shared?.get(wasActive) ?? new Map<string, Reading>();
    shared?.set(wasActive, alike);
    const reading = alike.get(paramsKey) ?? this.readingOf(params, wasActive, view);
    alike.set(paramsKey, reading);
    member.take(reading, known.confirmedAtMs, view.nowMs, cause);
  }

  /** A rule that throws is a fault of ours, and of those alone who asked this. */
  private readingOf(
    params: unknown,
    wasActive: boolean | undefined,
    view: SubjectView<unknown, unknown>,
  ): Reading {
    const reading = attempt(() => this.host.source.evaluate(params, { ...view, wasActive }));
    return reading instanceof ScalerError ? { kind: 'unknown', error: reading } : reading;
  }

  /** What the clock makes of a failure: it backs off, as long as the source asks at least. */
  private *fail(error: ScalerError): Generator<void, void> {
    const { failures, random, minReadMs } = this.host;
    failures.failed(this.key, error);
    const count = (this.failing?.failures ?? 0) + 1;
    const nowMs = this.host.now();
    const waitMs = Math.min(backoffMs(count, random()), this.longestIntervalMs());
    const awayMs = error.retryAfterMs ?? 0;
    // Where a read costs the upstream nothing (a ledger), an event is news, and no reason to wait.
    const notBeforeMs = nowMs + (minReadMs > 0 ? Math.max(waitMs, awayMs) : awayMs);
    this.failing = { error, failures: count, notBeforeMs };
    this.dueAtMs = Math.max(this.byClock(nowMs, waitMs), nowMs + awayMs);
    for (const member of this.members.keys()) {
      member.failed(nowMs, this.readCause);
      yield;
      if (this.current !== 'reading') return;
    }
  }

  private keepWatch(wanted: boolean, { snapshot, nowMs }: SubjectView<unknown, unknown>): void {
    const { connection } = this.host;
    if (this.watch?.state === 'armed') this.watchAttempts = 0;
    if (this.watch?.state === 'refused' && this.watchRetryAtMs <= nowMs) this.unwatch();
    if (!wanted) this.unwatch();
    if (!wanted || this.watch || !connection.arm) return;
    this.watchAttempts += 1;
    this.watchRetryAtMs = nowMs + watchRetryMs(this.watchAttempts);
    let watch: Watch | undefined;
    let early: string | undefined;
    const armed = attempt(() =>
      connection.arm?.(this.asked, snapshot, (cause) => {
        if (watch) this.wokenBy(watch, cause);
        else early = cause;
      }),
    );
    watch = armed === undefined || armed instanceof ScalerError ? refused : armed;
    this.watch = watch;
    if (early !== undefined) this.wokenBy(watch, early);
  }

  private wokenBy(watch: Watch, cause: string): void {
    if (this.watch !== watch) return;
    this.unwatch();
    this.wake(cause);
  }

  private unwatch(): void {
    const { watch } = this;
    this.watch = undefined;
    // A watch that fails to close is as useless as a closed one.
    if (watch) attempt(() => watch.close());
  }

  /** On the beat, also after a failure: what fails together is tried again together. */
  private byClock(nowMs: number, intervalMs: number): number {
    const { source, random, minReadMs } = this.host;
    if (source.readsAlone !== true) return nextOnBeat(nowMs, intervalMs, minReadMs);
    const part = this.spread ? 1 : random();
    this.spread = true;
    return nowMs + spreadMs(intervalMs, minReadMs, part);
  }

  private smallestLimitMs(): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (const { maxStalenessMs } of this.members.keys()) smallest = Math.min(smallest, maxStalenessMs);
    return smallest;
  }

  /** So that one lost read does not make a reading stale. */
  private longestIntervalMs(): number {
    return this.smallestLimitMs() / 2;
  }

  /** True when no member has asked for this before. */
  private addNeed(need: unknown): boolean {
    if (need === undefined) return false;
    this.needs ??= new Map();
    const key = JSON.stringify(need);
    const entry = this.needs.get(key);
    if (entry) entry.count += 1;
    else this.needs.set(key, { need, count: 1 });
    return entry === undefined;
  }

  private removeNeed(need: unknown): void {
    if (need === undefined) return;
    const key = JSON.stringify(need);
    const entry = this.needs?.get(key);
    if (!entry) return;
    entry.count -= 1;
    if (entry.count === 0) this.needs?.delete(key);
  }

  /** Ends reads, watches and wakes. Members are notified. */
  close(): void {
    this.current = 'closed';
    this.unwatch();
    this.host.failures.forget(this.key);
    for (const member of this.members.keys()) member.left();
    this.members.clear();
  }
}

/** By the member's own activity and what it asks. */
type SharedReadings = Map<boolean | undefined, Map<string, Reading>>;

/** Stands for a watch that could not even be asked for. */
const refused: Watch = { state: 'refused', confirmedAtMs: undefined, close: () => {} };
