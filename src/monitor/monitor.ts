import { ScalerError } from '../errors.ts';
import { backoffMs } from '../retry.ts';
import type {
  AnyConnection,
  AnySource,
  Delivered,
  Pace,
  Subject,
  SubjectRef,
  SubjectView,
  Watch,
} from '../sources/source.ts';
import type { FailureLog } from './failure-log.ts';
import { Needs } from './needs.ts';
import { Readings } from './readings.ts';
import { nextOnBeat, spreadMs, wakeReadAt, watchRetryMs } from './schedule.ts';
import type { TriggerState } from './trigger-state.ts';

export interface MonitorOptions {
  source: AnySource;
  /** The connection's own settings, handed back to the source. */
  config: unknown;
  connection: AnyConnection;
  failures: FailureLog;
  now: () => number;
  random: () => number;
  /** A trigger went from inactive to active. */
  onEdge: (state: TriggerState) => void;
  /** An event made us look; `dueAtMs` may now be sooner. */
  onWake: (cause: string) => void;
}

interface Known {
  readonly snapshot: unknown;
  readonly history: unknown;
  readonly takenAtMs: number;
  readonly confirmedAtMs: number;
}

/** Measures one subject for all the triggers that ask for it. Reading itself is the reader's: many at once. */
export class Monitor {
  readonly key: string;
  readonly hintNames: ReadonlySet<string>;
  dueAtMs: number;
  private readonly options: MonitorOptions;
  private readonly needs = new Needs();
  private readonly states = new Map<TriggerState, unknown>();
  private known: Known | undefined;
  private failing: { error: ScalerError; failures: number } | undefined;
  private readingSinceMs: number | undefined;
  /** A wake came that the read under way may not have seen. */
  private wokenAgain = false;
  private lastWakeReadAtMs = Number.NEGATIVE_INFINITY;
  private dueForWake = false;
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

  constructor({ key, hintNames }: SubjectRef<unknown>, options: MonitorOptions) {
    this.key = key;
    this.hintNames = new Set(hintNames);
    this.options = options;
    this.dueAtMs = options.now();
  }

  get subject(): Subject<unknown> {
    return { key: this.key, needs: this.needs.distinct(), maxStalenessMs: this.smallestLimitMs() };
  }

  get empty(): boolean {
    return this.states.size === 0;
  }

  get reading(): boolean {
    return this.readingSinceMs !== undefined;
  }

  get error(): ScalerError | undefined {
    return this.failing?.error;
  }

  confirmedAtMs(): number {
    const read = this.known?.confirmedAtMs ?? Number.NEGATIVE_INFINITY;
    if (this.failing || this.watch?.state !== 'armed') return read;
    return Math.max(read, this.watch.confirmedAtMs ?? read);
  }

  /** A trigger joins; what is known already answers it, unless it needs more than was read. */
  join(state: TriggerState, need: unknown): void {
    const isNew = this.needs.add(need);
    this.states.set(state, need);
    state.monitor = this;
    if (isNew && this.known) this.dueAtMs = this.options.now();
    else if (this.known) this.evaluate(state, new Readings(this.options.source, this.view(this.known)));
    else if (this.failing) state.failed();
  }

  leave(state: TriggerState): void {
    this.needs.remove(this.states.get(state));
    this.states.delete(state);
    state.monitor = undefined;
  }

  /**
   * "Look now": the first at once, those that follow within the source's least interval as one. A hint is only
   * noted where it could bring no edge: what is active already is read by its clock.
   */
  wake(cause: string, kind: 'event' | 'hint' = 'event', delayMs = 0): void {
    const nowMs = this.options.now();
    if (kind === 'hint') {
      this.lastHintAtMs = nowMs + delayMs;
      if (!this.reading && !this.failing && this.allActive) return;
    }
    if (this.reading) this.wokenAgain = true;
    this.wakeCause ??= cause;
    const at = wakeReadAt(nowMs + delayMs, this.lastWakeReadAtMs, this.minReadMs);
    if (!this.reading) this.dueForWakeAt(at);
    this.options.onWake(cause);
  }

  private get allActive(): boolean {
    for (const { wasActive } of this.states.keys()) if (wasActive !== true) return false;
    return true;
  }

  private dueForWakeAt(atMs: number): void {
    this.dueForWake = true;
    this.dueAtMs = Math.min(this.dueAtMs, atMs);
  }

  private get minReadMs(): number {
    return this.options.source.minReadMs(this.options.config);
  }

  /** The reader has sent for this subject. */
  begin(nowMs: number): void {
    this.readingSinceMs = nowMs;
    if (this.dueForWake) this.lastWakeReadAtMs = nowMs;
    this.dueForWake = false;
    this.wokenAgain = false;
    this.readCause = this.wakeCause;
    this.wakeCause = undefined;
  }

  /** The read's result; the first one counts. */
  delivered(result: Delivered<unknown> | ScalerError): void {
    const takenAtMs = this.readingSinceMs;
    if (takenAtMs === undefined) return;
    this.readingSinceMs = undefined;
    if (result instanceof ScalerError) this.fail(result);
    else this.take(result, takenAtMs);
    if (this.wokenAgain) {
      this.wokenAgain = false;
      this.dueForWakeAt(wakeReadAt(this.options.now(), this.lastWakeReadAtMs, this.minReadMs));
    }
  }

  private take({ snapshot, confirmedAtMs }: Delivered<unknown>, takenAtMs: number): void {
    const { source, failures } = this.options;
    if (this.failing) failures.recovered(this.key);
    this.failing = undefined;
    const history = source.fold(this.known?.history, snapshot, takenAtMs);
    this.known = { snapshot, history, takenAtMs, confirmedAtMs: confirmedAtMs ?? takenAtMs };
    const view = this.view(this.known);
    const readings = new Readings(source, view);
    for (const state of this.states.keys()) this.evaluate(state, readings, this.readCause);
    this.goOn(view);
  }

  private view({ snapshot, history, takenAtMs }: Known): SubjectView<unknown, unknown> {
    return { snapshot, history, takenAtMs, nowMs: this.options.now(), lastHintAtMs: this.lastHintAtMs };
  }

  private evaluate(state: TriggerState, readings: Readings, cause?: string): void {
    const reading = readings.of(state.trigger, state.wasActive);
    if (state.take(reading, this.known?.confirmedAtMs ?? 0)) this.options.onEdge(state);
    state.look(readings.nowMs, cause);
  }

  private goOn(view: SubjectView<unknown, unknown>): void {
    const { source, config } = this.options;
    const active = [...this.states.keys()].some((state) => state.wasActive === true);
    const pace = source.pace(config, { ...view, active, watch: this.watch?.state ?? 'none' });
    this.keepWatch(pace, view);
    const intervalMs = Math.min(pace.nextReadMs, this.longestIntervalMs());
    this.dueAtMs = this.byClock(view.nowMs, intervalMs);
  }

  private smallestLimitMs(): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (const { trigger } of this.states.keys()) smallest = Math.min(smallest, trigger.maxStalenessMs);
    return smallest;
  }

  /** So that one lost read does not make a reading stale. */
  private longestIntervalMs(): number {
    return this.smallestLimitMs() / 2;
  }

  private keepWatch(pace: Pace, { snapshot, nowMs }: SubjectView<unknown, unknown>): void {
    const { connection } = this.options;
    if (this.watch?.state === 'armed') this.watchAttempts = 0;
    if (this.watch?.state === 'refused' && this.watchRetryAtMs <= nowMs) this.unwatch();
    if (!pace.watch) this.unwatch();
    if (!pace.watch || this.watch || !connection.arm) return;
    this.watchAttempts += 1;
    this.watchRetryAtMs = nowMs + watchRetryMs(this.watchAttempts);
    const watch: Watch = connection.arm(this.subject, snapshot, (cause) => {
      if (this.watch !== watch) return;
      this.unwatch();
      this.wake(cause);
    });
    this.watch = watch;
  }

  private unwatch(): void {
    const { watch } = this;
    this.watch = undefined;
    watch?.close();
  }

  private fail(error: ScalerError): void {
    const { failures, now, random } = this.options;
    failures.failed(this.key, error);
    this.failing = { error, failures: (this.failing?.failures ?? 0) + 1 };
    const nowMs = now();
    for (const state of this.states.keys()) {
      state.failed();
      state.look(nowMs, this.readCause);
    }
    const waitMs = Math.min(backoffMs(this.failing.failures, random()), this.longestIntervalMs());
    this.dueAtMs = Math.max(this.byClock(nowMs, waitMs), nowMs + (error.retryAfterMs ?? 0));
  }

  /** On the beat, also after a failure: what fails together is tried again together. */
  private byClock(nowMs: number, intervalMs: number): number {
    const { source, random } = this.options;
    if (source.readsAlone !== true) return nextOnBeat(nowMs, intervalMs, this.minReadMs);
    const part = this.spread ? 1 : random();
    this.spread = true;
    return nowMs + spreadMs(intervalMs, this.minReadMs, part);
  }

  close(): void {
    this.unwatch();
    this.options.failures.recovered(this.key);
    this.readingSinceMs = undefined;
    for (const state of [...this.states.keys()]) this.leave(state);
  }
}
