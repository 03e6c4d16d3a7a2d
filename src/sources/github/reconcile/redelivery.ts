import type { FailedDelivery, GitHubApi } from '../upstream/api.ts';
import { isNotFound } from '../upstream/errors.ts';

/*
 * GitHub never repeats a failed delivery by itself (docs.github.com, "Handling failed webhook deliveries").
 */

/** How far back the first check looks. The first sync finds what is older. */
const firstLookMs = 3_600_000;
/** Jobs are cancelled after a day in the queue, so older events do not matter. */
const longestLookMs = 24 * 3_600_000;
/** A delivery is listed once it has failed, which may be well after it began. */
const overlapMs = 300_000;
/** The waits before each request for redelivery. After the last one, sweeps must find the job. */
const retryAfterMs = [0, 300_000, 1_800_000] as const;
/** docs.github.com, "Best practices for using the REST API": a second between requests that change something. */
const spacingMs = 1_000;
const maxRemembered = 10_000;

interface Tried {
  /** A check that looks back this far sees the delivery. */
  readonly sinceMs: number;
  tries: number;
  againAtMs: number;
}

export interface RedeliveryOptions {
  readonly api: Pick<GitHubApi, 'failedDeliveries' | 'redeliver' | 'clockOffsetMs'>;
  readonly everyMs: number;
  readonly nowMs: number;
}

/** Makes GitHub repeat failed deliveries, at most three times each, with growing gaps. */
export class Redelivery {
  private readonly api: RedeliveryOptions['api'];
  private readonly everyMs: number;
  private readonly tried = new Map<string, Tried>();
  private queue: FailedDelivery[] = [];
  private checkedAtMs: number;
  private atMs: number;

  constructor({ api, everyMs, nowMs }: RedeliveryOptions) {
    this.api = api;
    this.everyMs = everyMs;
    this.checkedAtMs = nowMs - firstLookMs + overlapMs;
    this.atMs = api.failedDeliveries ? nowMs : Number.POSITIVE_INFINITY;
  }

  /** When something is due, in ms since 1970 by our clock. Infinite without an App. */
  get nextAtMs(): number {
    return this.atMs;
  }

  /** Leaves GitHub alone until then. */
  postpone(atMs: number): void {
    this.atMs = Math.max(this.atMs, atMs);
  }

  /** One request: a check, or one redelivery. Throws ScalerError. */
  async step(nowMs: number, signal: AbortSignal): Promise<void> {
    const delivery = this.queue[0];
    if (delivery) await this.redeliver(delivery, nowMs, signal);
    else await this.check(nowMs, signal);
    this.atMs = this.queue.length > 0 ? nowMs + spacingMs : this.checkedAtMs + this.everyMs;
  }

  private async check(nowMs: number, signal: AbortSignal): Promise<void> {
    const sinceMs = this.lookBackMs(nowMs);
    const failed = await this.api.failedDeliveries?.(sinceMs + this.api.clockOffsetMs, signal);
    this.checkedAtMs = nowMs;
    const byGuid = new Map(failed?.map((delivery) => [delivery.guid, delivery]));
    this.forget(byGuid, nowMs);
    for (const delivery of byGuid.values()) this.take(delivery, sinceMs, nowMs);
  }

  private lookBackMs(nowMs: number): number {
    let sinceMs = this.checkedAtMs - overlapMs;
    for (const tried of this.tried.values())
      if (tried.tries < retryAfterMs.length) sinceMs = Math.min(sinceMs, tried.sinceMs);
    return Math.max(sinceMs, nowMs - longestLookMs);
  }

  /**
   * A delivery that is no longer listed has succeeded. One that was given up is remembered while it may still be listed.
   */
  private forget(failed: ReadonlyMap<string, unknown>, nowMs: number): void {
    for (const [guid, { tries, sinceMs }] of this.tried) {
      const open = tries < retryAfterMs.length ? failed.has(guid) : nowMs - sinceMs < longestLookMs;
      if (!open) this.tried.delete(guid);
    }
  }

  private take(delivery: FailedDelivery, sinceMs: number, nowMs: number): void {
    const known = this.tried.get(delivery.guid);
    if (!known && this.tried.size >= maxRemembered) return;
    const tried = known ?? { sinceMs, tries: 0, againAtMs: nowMs };
    this.tried.set(delivery.guid, tried);
    if (tried.tries < retryAfterMs.length && tried.againAtMs <= nowMs) this.queue.push(delivery);
  }

  private async redeliver(delivery: FailedDelivery, nowMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.api.redeliver?.(delivery, signal);
    } catch (reason) {
      // It is too old, or the hook is gone. It cannot be repeated.
      if (!isNotFound(reason)) throw reason;
    }
    this.queue.shift();
    const tried = this.tried.get(delivery.guid);
    if (!tried) return;
    tried.tries += 1;
    tried.againAtMs = nowMs + (retryAfterMs[tried.tries] ?? Number.POSITIVE_INFINITY);
  }
}
