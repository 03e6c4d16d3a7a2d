import { isDeepStrictEqual } from 'node:util';
import type { LiveSettings } from '../config/schema.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Decision, dataOf } from './cloudevents.ts';
import { BoundedQueue, Sink, type SinkOptions } from './sink.ts';

export interface DecisionsDeps {
  log: Logger;
  metrics: Pick<Metrics, 'decisionsSent' | 'decisionsDropped'>;
}

/** How long what waits may take to be posted when there is no sink any more. */
export const flushLimitMs = 3_000;

/** The audit trail: each decision is logged and, where there is a sink, posted to it. */
export class Decisions {
  private readonly deps: DecisionsDeps;
  private readonly lines: DecisionLog;
  private options: SinkOptions | undefined;
  private sink: Sink | undefined;

  constructor(settings: LiveSettings['decisions'], deps: DecisionsDeps) {
    const { log, metrics } = deps;
    this.deps = deps;
    this.lines = new DecisionLog(log, (dropped) => metrics.decisionsDropped.inc({ to: 'log' }, dropped));
    this.use(settings);
  }

  /** Returns at once; the rest is done in later turns. */
  take(decision: Decision): void {
    this.lines.take(decision);
    this.sink?.take(decision);
  }

  /** Takes changed settings; what waits goes to the new sink. */
  use(settings: LiveSettings['decisions']): void {
    const options = sinkOptions(settings);
    if (isDeepStrictEqual(options, this.options)) return;
    this.options = options;
    if (options === undefined) {
      void this.sink?.close(flushLimitMs);
      this.sink = undefined;
    } else if (this.sink === undefined) {
      this.sink = this.open(options);
    } else {
      this.sink.use(options);
    }
  }

  private open(options: SinkOptions): Sink {
    const { log, metrics } = this.deps;
    return new Sink(options, {
      log,
      onSent: (outcome, sent) => metrics.decisionsSent.inc({ outcome }, sent),
      onDropped: (dropped) => metrics.decisionsDropped.inc({ to: 'sink' }, dropped),
    });
  }

  /** Writes and posts what waits. Never rejects. */
  async close(limitMs: number): Promise<void> {
    this.lines.flush();
    await this.sink?.close(limitMs);
  }
}

function sinkOptions({ sink, token, ...bounds }: LiveSettings['decisions']): SinkOptions | undefined {
  return sink === undefined ? undefined : { url: sink, token, ...bounds };
}

/** How many lines are written before the event loop gets its turn: well under a millisecond of work. */
const turnSize = 50;
/** More than there are triggers: all may fail in one moment. */
const maxWaiting = 50_000;

/** Writes one line for each decision, after the turn that made it: a source that fails, fails for thousands at once. */
export class DecisionLog {
  private readonly log: Logger;
  private readonly onDropped: (decisions: number) => void;
  private readonly waiting = new BoundedQueue<Decision>(maxWaiting);
  private turn: NodeJS.Immediate | undefined;

  constructor(log: Logger, onDropped: (decisions: number) => void) {
    this.log = log;
    this.onDropped = onDropped;
  }

  take(decision: Decision): void {
    const dropped = this.waiting.push(decision);
    if (dropped > 0) this.onDropped(dropped);
    this.turn ??= setImmediate(() => this.goOn());
  }

  /** Writes what still waits. */
  flush(): void {
    clearImmediate(this.turn);
    this.turn = undefined;
    this.write(this.waiting.size);
  }

  private goOn(): void {
    this.write(turnSize);
    this.turn = this.waiting.size > 0 ? setImmediate(() => this.goOn()) : undefined;
  }

  private write(lines: number): void {
    for (const decision of this.waiting.take(lines)) {
      const level = decision.kind === 'failing' ? 'warn' : 'info';
      const at = new Date(decision.atMs).toISOString();
      this.log[level]({ at, ...dataOf(decision) }, 'decision');
    }
  }
}
