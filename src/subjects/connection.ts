import { attempt, ScalerError } from '../errors.ts';
import type {
  AnyConnection,
  ConfiguredConnection,
  ConnectionDeps,
  Deliver,
  Delivered,
  SubjectRef,
} from '../sources/source.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { endRead, startRead } from '../telemetry/tracing.ts';
import type { PodsOf } from './connections.ts';
import { FailureLog } from './failure-log.ts';
import { Hints } from './hints.ts';
import type { Slices } from './slices.ts';
import { Subject, type SubjectHost } from './subject.ts';

/** After this a read has failed, and its subjects are read again. */
export const readTimeoutMs = 30_000;

/** Reads whose time is this near go out together. */
const togetherMs = 5;

/** How many subjects go into one read of the source. */
export const mostPerRead = 1_000;
/**
 * Beyond this size, repeated reads come in pieces with this pause between them. Ten thousand at once take more than a
 * second, and their memory outlives the young generation of the heap. Urgent and first reads do not wait.
 */
export const pieceSize = 50;
export const betweenPiecesMs = 20;

export interface ConnectionOptions {
  readonly metrics: Metrics;
  readonly slices: Slices;
  readonly log: ConnectionDeps['log'];
  readonly events: ConnectionDeps['events'];
  readonly pods?: PodsOf | undefined;
  readonly random: () => number;
}

/** One open connection: its subjects, and the clock that reads all due ones in one call. */
export class OpenConnection implements SubjectHost {
  /** As the configuration has it now. */
  configured: ConfiguredConnection;
  minReadMs: number;
  readonly connection: AnyConnection;
  readonly failures: FailureLog;
  readonly random: () => number;
  private readonly options: ConnectionOptions;
  private readonly subjects = new Map<string, Subject>();
  private readonly hints: Hints;
  /** Those that the next reads are for, in their order: what an event has woken goes first. */
  private readonly urgent = new Set<Subject>();
  private readonly due = new Set<Subject>();
  private readonly underWay = new Set<AbortController>();
  private asking: 'soon' | 'later' | undefined;
  private nextTurn: NodeJS.Immediate | undefined;
  private nextPiece: NodeJS.Timeout | undefined;
  private inPieces = false;
  private clock: NodeJS.Timeout | undefined;
  private clockAtMs = Number.POSITIVE_INFINITY;
  private closed = false;

  /** Throws ScalerError where the source cannot use its settings. No upstream is asked. */
  constructor(configured: ConfiguredConnection, options: ConnectionOptions) {
    const { name, source, config, place } = configured;
    const { pods } = options;
    this.configured = configured;
    this.options = options;
    this.random = options.random;
    this.minReadMs = source.minReadMs(config);
    const log = options.log.child({ source: source.kind, connection: name });
    this.failures = new FailureLog(log);
    this.hints = new Hints({ subjects: this.subjects, random: options.random });
    this.connection = source.connect(config, {
      name,
      log,
      metrics: options.metrics.forConnection(source.kind, name),
      events: options.events,
      peers: pods && ((duties) => pods.peersOf(name, place, duties, log)),
      wake: (key, cause) => this.subjects.get(key)?.wake(cause),
      same: (key, as) => this.same(key, as),
    });
  }

  /** Monotonic, in ms. */
  now(): number {
    return performance.now();
  }

  /** Takes settings that the upstream does not see: what its source was opened with stays. */
  use(configured: ConfiguredConnection): void {
    const minReadMs = attempt(() => configured.source.minReadMs(configured.config));
    if (!(minReadMs instanceof ScalerError)) this.minReadMs = minReadMs;
    this.configured = configured;
  }

  get source(): ConfiguredConnection['source'] {
    return this.configured.source;
  }

  get config(): unknown {
    return this.configured.config;
  }

  get size(): number {
    return this.subjects.size;
  }

  /** The subject, made when it is the first trigger that asks for it. */
  subject(ref: SubjectRef<unknown>): Subject {
    const existing = this.subjects.get(ref.key);
    if (existing) return existing;
    const subject = new Subject(ref, this);
    this.subjects.set(ref.key, subject);
    this.hints.add(subject);
    return subject;
  }

  /** A subject turns out to be another one: its members go there, and it is closed. */
  private same(key: string, as: SubjectRef<unknown>): boolean {
    const subject = this.subjects.get(key);
    if (subject === undefined || key === as.key) return false;
    subject.moveTo(this.subject(as), as.need);
    return true;
  }

  emptied(subject: Subject): void {
    subject.close();
    this.hints.remove(subject);
    this.subjects.delete(subject.key);
    this.urgent.delete(subject);
    this.due.delete(subject);
  }

  /** "Look now", for the subjects of a name, or for all. False if there are no such subjects. */
  hint(name: string | undefined, cause: string): boolean {
    return name === undefined ? this.hints.toAll(cause) : this.hints.toName(name, cause);
  }

  woken(cause: string): void {
    this.options.metrics.wakes.inc({ ...this.labels, cause });
  }

  private get labels(): { source: string; connection: string } {
    return { source: this.configured.source.kind, connection: this.configured.name };
  }

  /** Now due, a subject is read in this turn's microtasks; due later, the clock is set to it. */
  schedule(subject: Subject): void {
    if (this.closed || subject.state === 'reading' || subject.state === 'closed') return;
    const nowMs = this.now();
    if (subject.dueAtMs > nowMs) this.setClock(subject.dueAtMs, nowMs);
    else this.queue(subject);
  }

  private queue(subject: Subject): void {
    subject.queued();
    if (subject.urgent) {
      this.due.delete(subject);
      this.urgent.add(subject);
    } else {
      this.due.add(subject);
    }
    this.askSoon();
  }

  /** A microtask, so that all whom one event wakes go into one request. What is urgent does not wait for a turn. */
  private askSoon(): void {
    if (this.asking === 'soon' || (this.asking === 'later' && this.urgent.size === 0)) return;
    this.asking = 'soon';
    queueMicrotask(() => this.ask());
  }

  private ask(): void {
    this.asking = undefined;
    if (this.closed) return;
    const batch: Subject[] = [];
    this.inPieces = this.due.size > (this.inPieces ? 0 : mostPerRead) && !this.isCold;
    const most = this.inPieces ? pieceSize : mostPerRead;
    for (const queue of [this.urgent, this.due]) {
      for (const subject of queue) {
        if (batch.length >= (queue === this.urgent ? mostPerRead : most)) break;
        queue.delete(subject);
        batch.push(subject);
      }
    }
    this.read(batch);
    if (this.urgent.size + this.due.size === 0) return;
    this.asking = 'later';
    if (this.urgent.size > 0 || this.isCold) {
      this.nextTurn ??= setImmediate(() => {
        this.nextTurn = undefined;
        this.askLater();
      });
    } else {
      this.nextPiece ??= setTimeout(() => {
        this.nextPiece = undefined;
        this.askLater();
      }, betweenPiecesMs);
    }
  }

  /** Whether callers wait for what is due next. */
  private get isCold(): boolean {
    const [first] = this.due;
    return first?.isCold === true;
  }

  private askLater(): void {
    if (this.asking === 'later') this.ask();
  }

  private setClock(atMs: number, nowMs: number): void {
    if (atMs >= this.clockAtMs) return;
    clearTimeout(this.clock);
    this.clockAtMs = atMs;
    this.clock = setTimeout(() => this.tick(), atMs - nowMs);
  }

  private tick(): void {
    this.clockAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const subject of this.subjects.values()) {
      if (subject.state !== 'idle') continue;
      if (subject.dueAtMs <= nowMs + togetherMs) this.queue(subject);
      else nextMs = Math.min(nextMs, subject.dueAtMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.setClock(nextMs, nowMs);
  }

  private read(batch: readonly Subject[]): void {
    if (batch.length === 0) return;
    const sinceMs = this.now();
    const span = startRead(this.configured.source.kind, this.configured.name, batch.length);
    const errors: ScalerError[] = [];
    const pending = new Map<string, Subject>();
    // Before they begin: then nothing is urgent any more.
    const urgent = batch.some((subject) => subject.urgent);
    for (const subject of batch) {
      pending.set(subject.key, subject);
      subject.begin(sinceMs);
    }
    const deliver = (key: string, result: Delivered<unknown> | ScalerError) => {
      const subject = pending.get(key);
      if (!subject) return;
      pending.delete(key);
      this.count(result, sinceMs);
      if (result instanceof ScalerError) errors.push(result);
      this.options.slices.run(subject.settle(result), urgent);
    };
    void this.readAll(batch, deliver).then((failure) => {
      const error = failure ?? new ScalerError('unavailable', 'the source did not answer in time');
      for (const [key, { state }] of pending) if (state !== 'closed') deliver(key, error);
      endRead(span, errors.length, errors[0]);
    });
  }

  /** Resolves when the source is done or out of time, with the error where it has failed. */
  private async readAll(
    batch: readonly Subject[],
    deliver: Deliver<unknown>,
  ): Promise<ScalerError | undefined> {
    const under = new AbortController();
    this.underWay.add(under);
    const timer = setTimeout(() => under.abort(), readTimeoutMs);
    try {
      const asked = batch.map((subject) => subject.asked);
      await Promise.race([this.connection.read(asked, deliver, under.signal), aborted(under.signal)]);
      return undefined;
    } catch (reason) {
      return ScalerError.from(reason, 'unavailable');
    } finally {
      clearTimeout(timer);
      this.underWay.delete(under);
      under.abort(over);
    }
  }

  private count(result: unknown, sinceMs: number): void {
    const { metrics } = this.options;
    const outcome = result instanceof ScalerError ? 'error' : 'ok';
    metrics.sourceReads.inc({ ...this.labels, outcome });
    metrics.sourceReadDuration.observe(
      { source: this.configured.source.kind },
      (this.now() - sinceMs) / 1000,
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.clock);
    clearImmediate(this.nextTurn);
    clearTimeout(this.nextPiece);
    this.hints.close();
    for (const under of this.underWay) under.abort();
    for (const subject of this.subjects.values()) subject.close();
    this.subjects.clear();
    this.urgent.clear();
    this.due.clear();
    await this.connection.close();
  }
}

/** Made once: an error of its own for each read, with its stack, was a tenth of what an event costs. */
const over = new ScalerError('unavailable', 'the read is over');

/** Resolves when the signal aborts, so that a source that ignores it cannot hold its subjects forever. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
