import { epochNowMs } from '../clock.ts';
import { ScalerError } from '../errors.ts';
import type { InboundEvent } from '../sources/inbound.ts';
import type { Logger } from '../telemetry/log.ts';
import { fairShare } from './fair-share.ts';
import type { Heads } from './heads.ts';
import { decode, type EventStore, type Head } from './level-store.ts';

/** How much is kept. */
export interface Retention {
  /** The longest that an event is kept, in ms. */
  readonly retentionMs: number;
  readonly maxEvents: number;
}

interface CompactionOptions extends Retention {
  readonly store: Pick<EventStore, 'read' | 'remove'>;
  readonly heads: Heads;
  /** The last kept sequence of each connection. */
  readonly lasts: () => ReadonlyMap<string, number>;
  readonly log: Logger;
}

/**
 * Removes old events from the front of each connection, a bounded number in each turn of the event loop. If there are
 * too many, connections with more than their share lose some (`fairShare`).
 */
export class Compaction {
  private readonly options: CompactionOptions;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(options: CompactionOptions) {
    this.options = options;
  }

  /** Whether the log is a tenth over its limit. */
  get due(): boolean {
    if (this.running !== undefined) return false;
    let count = 0;
    for (const of of this.counts().values()) count += of;
    return count > this.options.maxEvents * 1.1;
  }

  /** Runs once at a time: a second call waits for the first. Never rejects. */
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

  private counts(): ReadonlyMap<string, number> {
    const { heads, lasts } = this.options;
    return new Map([...lasts()].map(([name, last]) => [name, last - heads.of(name).first + 1]));
  }

  private async compact(): Promise<void> {
    const counts = this.counts();
    const share = fairShare(counts.values(), this.options.maxEvents);
    for (const connection of counts.keys()) await this.compactOne(connection, share);
  }

  private async compactOne(connection: string, share: number): Promise<void> {
    const { store, heads, lasts, retentionMs } = this.options;
    const last = lasts().get(connection) ?? 0;
    const oldestMs = epochNowMs() - retentionMs;
    for await (const entries of store.read(connection, heads.of(connection).first - 1, last)) {
      const sequences: number[] = [];
      let head = heads.of(connection);
      for (const { sequence, text } of entries) {
        const event = decode(text);
        if (event !== undefined && sequence > last - share && event.receivedAtMs >= oldestMs) break;
        sequences.push(sequence);
        head = without(head, sequence, event);
      }
      if (sequences.length > 0) {
        await heads.change(connection, head, (changed) => store.remove(connection, sequences, changed));
      }
      if (this.stopped || sequences.length < entries.length) return;
    }
  }
}

/** The head after an entry is removed. An entry that is not an event, or leaves a gap before it, is damage. */
function without(head: Head, sequence: number, event: InboundEvent | undefined): Head {
  const { first, since, checked } = head;
  const isDamage = sequence > checked && (event === undefined || sequence > Math.max(first, checked + 1));
  if (isDamage) {
    return { first: sequence + 1, since: { atMs: epochNowMs(), because: 'damaged' }, checked: sequence };
  }
  const isLater = event !== undefined && event.receivedAtMs > since.atMs;
  return {
    first: sequence + 1,
    since: isLater ? { atMs: event.receivedAtMs, because: 'dropped' } : since,
    checked,
  };
}
