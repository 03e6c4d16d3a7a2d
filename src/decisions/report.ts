import type { Logger } from '../telemetry/log.ts';

/** Says of a sink what is wrong with it: each reason once, until it takes decisions again. */
export class SinkReport {
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
