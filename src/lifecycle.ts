import type { Logger } from './telemetry/log.ts';

export type State = 'starting' | 'serving' | 'draining' | 'stopped';

/** Something that is started in order, and stopped in the reverse order. */
export interface Part {
  readonly name: string;
  start?(): void | Promise<void>;
  stop?(): void | Promise<void>;
  /** How long `stop` may take, in ms; then the next part is stopped. */
  readonly stopLimitMs?: number;
}

const defaultStopLimitMs = 5000;

/** The process as a whole: what it is doing now, and its parts. */
export class Lifecycle {
  private readonly log: Logger;
  private parts: readonly Part[] = [];
  private currentState: State = 'starting';
  private stopping: Promise<void> | undefined;

  constructor(log: Logger) {
    this.log = log;
  }

  get state(): State {
    return this.currentState;
  }

  /**
   * Starts the parts one after the other. If one fails, all are stopped, and its error is thrown: `stop` of a part
   * must bear that its `start` failed, or never came.
   */
  async start(parts: readonly Part[]): Promise<void> {
    this.enter('starting');
    this.parts = parts;
    for (const part of parts) {
      try {
        await part.start?.();
      } catch (reason) {
        await this.stop(`${part.name} did not start`);
        throw reason;
      }
      // A signal may have come while this part was starting; its stop may have come too early.
      if (this.stopping !== undefined) return this.stopPart(part);
    }
    this.enter('serving');
  }

  /** Stops the parts, the last first. A second call waits for the first. Never rejects. */
  stop(why: string): Promise<void> {
    this.stopping ??= this.stopAll(why);
    return this.stopping;
  }

  private async stopAll(why: string): Promise<void> {
    this.enter('draining', why);
    for (const part of this.parts.toReversed()) await this.stopPart(part);
    this.enter('stopped');
  }

  private async stopPart(part: Part): Promise<void> {
    const { name, stopLimitMs = defaultStopLimitMs } = part;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, stopLimitMs, 'late');
    });
    try {
      const ended = await Promise.race([part.stop?.(), limit]);
      if (ended === 'late')
        this.log.warn({ part: name, stopLimitMs }, 'did not stop in time, going on without it');
    } catch (reason) {
      this.log.error({ part: name, err: reason }, 'failed while stopping');
    } finally {
      clearTimeout(timer);
    }
  }

  private enter(state: State, why?: string): void {
    this.currentState = state;
    this.log.info({ state, ...(why === undefined ? {} : { why }) }, `the scaler is ${state}`);
  }
}
