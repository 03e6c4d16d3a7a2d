import type { KV, KvWatchEntry } from '@nats-io/kv';
import type { QueuedIterator } from '@nats-io/transport-node';
import { ScalerError } from '../errors.ts';
import { isJetStreamRefusal, isOvertaken, natsFault } from '../outbound/nats.ts';
import type { Logger } from '../telemetry/log.ts';
import { Waiters } from '../waiters.ts';
import { LeaseRules, type Write } from './lease-rules.ts';

/** A write without acknowledgement by then has failed. Time is left for another while the holder relies on the last one. */
const writeLimitMs = 1_000;
/** The wait after NATS was away. */
const againMs = 250;

export interface LeaseOptions {
  /** The bucket of all leases. Undefined until NATS was first connected. */
  readonly bucket: () => KV | undefined;
  /** The bucket did not answer. It may no longer exist. */
  readonly suspect: (bucket: KV) => void;
  readonly key: string;
  /** A new one for each attempt at the lease. */
  readonly id: string;
  readonly log: Logger;
  /** The lease was taken or lost, or another pod has it now. */
  readonly changed: () => void;
  /** Monotonic, in ms. */
  readonly now?: () => number;
}

/** One lease in JetStream KV, by `LeaseRules`. It takes the lease when it can, and then renews it. */
export class Lease {
  private readonly options: LeaseOptions;
  private readonly now: () => number;
  private readonly rules: LeaseRules;
  private readonly closing = new AbortController();
  private current: AbortController | undefined;
  private holderTold: string | undefined;
  private end: NodeJS.Timeout | undefined;
  private entries: QueuedIterator<KvWatchEntry> | undefined;
  private saidRefused = false;
  private readonly sleeping = new Waiters();
  private readonly loops: Promise<unknown>;

  constructor(options: LeaseOptions) {
    const { now = () => performance.now() } = options;
    this.options = options;
    this.now = now;
    this.rules = new LeaseRules(options.id, now());
    this.loops = Promise.all([this.keep(), this.watch()]);
  }

  /** Aborted when this pod may no longer act. Undefined while it may not. */
  get term(): AbortSignal | undefined {
    // A process that was suspended may get here before its timer runs.
    if (this.current !== undefined && !this.rules.holds(this.now())) this.settle();
    return this.current?.signal;
  }

  /** The ID of the last known holder. */
  get holder(): string | undefined {
    return this.rules.holder;
  }

  /**
   * This pod, as the holder, has asked the upstream, and was answered or not. Returns for how long it was not, in ms, if it
   * gives the lease up for that.
   */
  asked(isAnswered: boolean): number | undefined {
    if (isAnswered) this.rules.reached();
    const failedForMs = isAnswered ? undefined : this.rules.unreached(this.now());
    if (failedForMs === undefined) return undefined;
    this.settle();
    this.sleeping.wake();
    return failedForMs;
  }

  /** Gives the lease back, so that no other pod has to wait. Never rejects. */
  async close(): Promise<void> {
    const write = this.rules.giveBack();
    this.settle();
    clearTimeout(this.end);
    this.closing.abort();
    this.entries?.stop();
    await this.remove(write);
    await this.loops;
  }

  private async keep(): Promise<void> {
    while (!this.closing.signal.aborted) {
      // Not before the answer to a write under way, which would make it fail.
      await this.remove(this.rules.release());
      const bucket = this.options.bucket();
      const waitMs = this.rules.nextWriteAtMs - this.now();
      if (bucket === undefined) await this.sleep(againMs);
      else if (waitMs > 0) await this.sleep(waitMs);
      else await this.write(bucket);
    }
  }

  /** Deletes the entry. If that fails, others wait until it is too old. */
  private async remove(write: Write | undefined): Promise<void> {
    if (write === undefined) return;
    const { bucket, key } = this.options;
    await bucket()
      ?.delete(key, { previousSeq: write.onRevision })
      .catch(() => {});
  }

  private async write(bucket: KV): Promise<void> {
    const { key, id, log, suspect } = this.options;
    const sentAtMs = this.now();
    const { onRevision } = this.rules.write(sentAtMs);
    try {
      const revision = await bucket.put(key, id, { previousSeq: onRevision, timeout: writeLimitMs });
      this.rules.wrote(revision, sentAtMs, this.now());
      this.saidRefused = false;
    } catch (reason) {
      this.rules.failed(this.now());
      log.debug({ key, error: ScalerError.from(reason).message }, 'the lease was not written');
      if (!isJetStreamRefusal(reason)) suspect(bucket);
      // Another pod's write came first.
      else if (isOvertaken(reason)) await this.look(bucket);
      else this.refused(natsFault(reason));
    }
    this.settle();
  }

  private refused(error: string): void {
    if (this.saidRefused) return;
    this.saidRefused = true;
    this.options.log.error(
      { error },
      'the lease of the connection cannot be written: no pod asks the upstream until it can',
    );
  }

  /** After a refused write: the entry has another revision, and perhaps another holder. */
  private async look(bucket: KV): Promise<void> {
    try {
      const entry = await bucket.get(this.options.key);
      const holder = entry?.operation === 'PUT' ? entry.string() : undefined;
      this.rules.found(entry?.revision ?? 0, holder, this.now());
    } catch {
      // Out of reach. The next write will find out.
    }
  }

  private async watch(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        this.entries = await this.options.bucket()?.watch({ key: this.options.key });
        if (signal.aborted) this.entries?.stop();
        for await (const { operation, revision, value } of this.entries ?? []) {
          this.rules.saw(
            revision,
            operation === 'PUT' ? new TextDecoder().decode(value) : undefined,
            this.now(),
          );
          this.settle();
          this.sleeping.wake();
        }
      } catch {
        // Out of reach. The writes find the holder, too.
      }
      if (!signal.aborted) await this.sleep(againMs);
    }
  }

  /** Begins or ends a term, and calls `changed`. */
  private settle(): void {
    const { changed } = this.options;
    const nowMs = this.now();
    const holds = this.rules.holds(nowMs);
    const { holder } = this.rules;
    clearTimeout(this.end);
    if (holds) this.end = setTimeout(() => this.settle(), Math.ceil(this.rules.heldUntilMs - nowMs));
    if (holds === (this.current !== undefined) && holder === this.holderTold) return;
    this.holderTold = holder;
    if (holds) this.current ??= new AbortController();
    else {
      const over = this.current;
      this.current = undefined;
      over?.abort();
    }
    changed();
  }

  /** Less, where something new is known of the lease. */
  private sleep(ms: number): Promise<void> {
    return this.sleeping.wait(ms, this.closing.signal);
  }
}
