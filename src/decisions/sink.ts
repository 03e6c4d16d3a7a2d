import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { backoffMs } from '../retry.ts';
import type { Logger } from '../telemetry/log.ts';
import { type Decision, eventOf, type Outcome, type PostOptions, post } from './cloudevents.ts';

export interface SinkOptions extends PostOptions {
  readonly maxQueued: number;
  readonly batchSize: number;
  readonly flushMs: number;
}

export interface SinkDeps {
  log: Logger;
  onSent: (outcome: Outcome['kind'], decisions: number) => void;
  onDropped: (decisions: number) => void;
}

interface Queued {
  readonly decision: Decision;
  /** Its number, counted from the start of the process. */
  readonly number: number;
}

/** While it closes, a sink that fails is tried again this soon. */
const lastTriesMs = 500;

/** Posts decisions as CloudEvents: in their order, one request at a time, each until it is taken or refused. */
export class Sink {
  private options: SinkOptions;
  private readonly deps: SinkDeps;
  private readonly report: SinkReport;
  private readonly queue: BoundedQueue<Queued>;
  /** With its number, the ID of a decision. It stays the same in every try, and a gap means a dropped one. */
  private readonly instance = randomUUID();
  private readonly source = `/backlog-scaler/${encodeURIComponent(hostname())}`;
  private taken = 0;
  private failures = 0;
  private dueAtMs = 0;
  /** Until when the sink asked us to stay away. */
  private awayUntilMs = 0;
  private running: Promise<void> | undefined;
  private wake: (() => void) | undefined;
  private closing = false;
  private readonly end = new AbortController();

  constructor(options: SinkOptions, deps: SinkDeps) {
    this.options = options;
    this.deps = deps;
    this.report = new SinkReport(deps.log);
    this.queue = new BoundedQueue(options.maxQueued);
  }

  take(decision: Decision): void {
    const { batchSize, flushMs } = this.options;
    this.taken += 1;
    this.dropped(this.queue.push({ decision, number: this.taken }));
    if (this.running === undefined) {
      this.dueAtMs = performance.now() + flushMs;
      this.running = this.run();
    }
    if (this.queue.size >= batchSize && this.failures === 0) this.dueBy(performance.now());
  }

  /** Another address, token or bound; what waits goes there. */
  use(options: SinkOptions): void {
    this.options = options;
    this.failures = 0;
    this.awayUntilMs = 0;
    this.report.forget();
    this.dropped(this.queue.bound(options.maxQueued));
    this.dueBy(performance.now());
  }

  /** Posts what waits; resolves when that is done, at the latest after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    this.closing = true;
    this.dueBy(Math.max(performance.now(), this.awayUntilMs));
    const timer = setTimeout(() => {
      this.end.abort();
      this.wake?.();
    }, limitMs);
    await this.running;
    clearTimeout(timer);
    const left = this.queue.size;
    if (left === 0) return;
    this.deps.onDropped(left);
    this.report.left(this.name, left);
  }

  private dueBy(atMs: number): void {
    this.dueAtMs = Math.min(this.dueAtMs, atMs);
    this.wake?.();
  }

  private async run(): Promise<void> {
    while (this.queue.size > 0) {
      await this.due();
      if (this.end.signal.aborted) break;
      await this.postBatch();
    }
    this.running = undefined;
  }

  private async due(): Promise<void> {
    while (!this.end.signal.aborted) {
      const waitMs = this.dueAtMs - performance.now();
      if (waitMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = undefined;
    }
  }

  private async postBatch(): Promise<void> {
    const { options } = this;
    const batch = this.queue.take(options.batchSize);
    const outcome = await post(options, this.body(batch), this.end.signal);
    this.deps.onSent(outcome.kind, batch.length);
    if (outcome.kind === 'failed') this.failed(outcome, batch, options);
    else this.done(outcome, batch.length);
  }

  private body(batch: readonly Queued[]): string {
    const { source, instance } = this;
    const events = batch.map(({ decision, number }) =>
      eventOf(decision, { id: `${instance}-${number}`, source }),
    );
    return JSON.stringify(events);
  }

  private done(outcome: Exclude<Outcome, { kind: 'failed' }>, decisions: number): void {
    this.failures = 0;
    if (outcome.kind === 'accepted') this.report.accepted(this.name);
    else this.report.refused(this.name, outcome.reason, decisions);
    const { batchSize, flushMs } = this.options;
    const atOnce = this.closing || this.queue.size >= batchSize;
    this.dueAtMs = performance.now() + (atOnce ? 0 : flushMs);
  }

  private failed(
    outcome: Extract<Outcome, { kind: 'failed' }>,
    batch: readonly Queued[],
    asked: SinkOptions,
  ): void {
    this.dropped(this.queue.putBack(batch));
    // Given up by us, or it was the sink before this one.
    if (this.end.signal.aborted || asked !== this.options) return;
    this.failures += 1;
    this.report.failed(this.name, outcome.reason, this.queue.size);
    const nowMs = performance.now();
    this.awayUntilMs = nowMs + (outcome.retryAfterMs ?? 0);
    const waitMs = this.closing ? lastTriesMs : backoffMs(this.failures, Math.random());
    this.dueAtMs = Math.max(nowMs + waitMs, this.awayUntilMs);
  }

  private dropped(decisions: number): void {
    if (decisions === 0) return;
    this.deps.onDropped(decisions);
    this.report.full(this.name, this.options.maxQueued);
  }

  /** For people: paths and queries may hold secrets. */
  private get name(): string {
    return new URL(this.options.url).origin;
  }
}

/** Says of a sink what is wrong with it: each reason once, until it takes decisions again. */
class SinkReport {
  private readonly log: Logger;
  private readonly said = new Set<string>();
  private failures = 0;

  constructor(log: Logger) {
    this.log = log;
  }

  failed(sink: string, error: string, waiting: number): void {
    this.failures += 1;
    this.once(error, { sink, error, waiting }, 'decisions cannot be posted; they wait and are tried again');
  }

  refused(sink: string, error: string, decisions: number): void {
    this.failures += 1;
    this.once(error, { sink, error, decisions }, 'the sink does not take these decisions; they are dropped');
  }

  full(sink: string, maxQueued: number): void {
    this.once('full', { sink, maxQueued }, 'too many decisions wait; the oldest are dropped');
  }

  accepted(sink: string): void {
    const { failures } = this;
    if (this.said.size === 0) return;
    this.forget();
    this.log.info({ sink, failures }, 'decisions are posted again');
  }

  left(sink: string, decisions: number): void {
    this.log.warn({ sink, decisions }, 'these decisions could not be posted before the end');
  }

  /** The sink is another one. */
  forget(): void {
    this.said.clear();
    this.failures = 0;
  }

  private once(reason: string, fields: object, message: string): void {
    if (this.said.has(reason)) return;
    this.said.add(reason);
    this.log.warn(fields, message);
  }
}

/** First in, first out, with a bound: where it is full, the oldest goes. */
export class BoundedQueue<T> {
  private items: T[] = [];
  /** Those before it are gone: taking one off the front of a long array would move all the others. */
  private head = 0;
  private max: number;

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.items.length - this.head;
  }

  /** Gives how many were dropped. */
  push(item: T): number {
    this.items.push(item);
    return this.drop();
  }

  /** The oldest, at most so many. */
  take(count: number): T[] {
    const taken = this.items.slice(this.head, this.head + count);
    this.forget(taken.length);
    return taken;
  }

  /** What was taken, before all others again; gives how many were dropped. */
  putBack(taken: readonly T[]): number {
    this.items = [...taken, ...this.items.slice(this.head)];
    this.head = 0;
    return this.drop();
  }

  /** Another bound; gives how many were dropped. */
  bound(max: number): number {
    this.max = max;
    return this.drop();
  }

  private drop(): number {
    const tooMany = Math.max(0, this.size - this.max);
    this.forget(tooMany);
    return tooMany;
  }

  private forget(count: number): void {
    this.head += count;
    if (this.head <= this.items.length / 2) return;
    this.items = this.items.slice(this.head);
    this.head = 0;
  }
}
