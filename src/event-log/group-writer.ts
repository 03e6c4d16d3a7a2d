import { ScalerError } from '../errors.ts';
import type { InboundEvent } from '../sources/source.ts';

/** One write to the disk takes about as long for a thousand events as for one. */
const maxGroup = 1_000;
/** Ingest bounds what is under way by its bytes; this is for many small ones. */
const maxWaiting = 50_000;

interface Waiting {
  readonly event: InboundEvent;
  resolve(): void;
  reject(reason: ScalerError): void;
}

/** Writes events in groups: those that come while a write is under way go together into the next one. */
export class GroupWriter {
  private readonly write: (events: readonly InboundEvent[]) => Promise<void>;
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;
  private closed = false;

  /** `write` rejects with ScalerError. */
  constructor(write: (events: readonly InboundEvent[]) => Promise<void>) {
    this.write = write;
  }

  append(event: InboundEvent): Promise<void> {
    if (this.closed) return Promise.reject(new ScalerError('unavailable', 'the event log is closed'));
    if (this.waiting.length >= maxWaiting) {
      const error = `${maxWaiting} events wait for the disk of the event log: it is too slow for them`;
      return Promise.reject(new ScalerError('exhausted', error));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ event, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Takes no more; resolves when all that was taken is written. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // All that is appended in this turn goes into the first group.
    await undefined;
    while (this.waiting.length > 0) await this.writeGroup(this.waiting.splice(0, maxGroup));
    this.running = undefined;
  }

  private async writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      await this.write(group.map(({ event }) => event));
      for (const { resolve } of group) resolve();
    } catch (reason) {
      const error = ScalerError.from(reason);
      for (const { reject } of group) reject(error);
    }
  }
}
