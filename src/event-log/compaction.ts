import { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventStore } from './store.ts';
import { decode } from './stored-event.ts';

export interface Kept {
  /** The longest that an event is kept, in ms. */
  readonly retentionMs: number;
  readonly maxEvents: number;
}

export interface CompactionOptions extends Kept {
  readonly store: Pick<EventStore, 'read' | 'remove'>;
  /** The last sequence that is kept. */
  readonly last: () => number;
  /** Since when all events are kept, as the store says, in ms since 1970. */
  readonly keptSinceMs: number;
  readonly log: Logger;
  /** In ms since 1970. */
  readonly now: () => number;
}

/** Takes old events away, from the front, a bounded number in each turn of the event loop. */
export class Compaction {
  keptSinceMs: number;
  private readonly options: CompactionOptions;
  private removedUpTo = 0;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(options: CompactionOptions) {
    this.options = options;
    this.keptSinceMs = options.keptSinceMs;
  }

  /** Whether there is a tenth more than is to be kept. */
  get due(): boolean {
    const { last, maxEvents } = this.options;
    return this.running === undefined && last() - this.removedUpTo > maxEvents * 1.1;
  }

  /** One at a time; a second call waits for the first. Never rejects. */
  run(): Promise<void> {
    this.running ??= this.compact()
      .catch((reason: unknown) => {
        if (this.stopped) return;
        const { message } = ScalerError.from(reason);
        this.options.log.warn({ error: message }, 'old events could not be removed; tried again later');
      })
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async compact(): Promise<void> {
    const { store, last } = this.options;
    for await (const entries of store.read(this.removedUpTo, last())) {
      const sequences: number[] = [];
      let keptSinceMs = this.keptSinceMs;
      for (const { sequence, text } of entries) {
        const event = decode(text);
        if (event !== undefined && this.isKept(sequence, event.receivedAtMs)) break;
        sequences.push(sequence);
        keptSinceMs = Math.max(keptSinceMs, event?.receivedAtMs ?? 0);
      }
      if (sequences.length > 0) await this.remove(sequences, keptSinceMs);
      if (this.stopped || sequences.length < entries.length) return;
    }
  }

  private isKept(sequence: number, receivedAtMs: number): boolean {
    const { last, maxEvents, retentionMs, now } = this.options;
    return sequence > last() - maxEvents && receivedAtMs >= now() - retentionMs;
  }

  private async remove(sequences: readonly number[], keptSinceMs: number): Promise<void> {
    await this.options.store.remove(sequences, keptSinceMs);
    this.keptSinceMs = keptSinceMs;
    this.removedUpTo = sequences.at(-1) ?? this.removedUpTo;
  }
}
