import { isDeepStrictEqual } from 'node:util';
import type { LiveSettings } from '../config/schema.ts';
import type { Decision } from '../monitor/decision.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { DecisionLog } from './decision-log.ts';
import { Sink, type SinkOptions } from './sink.ts';

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
