import { ScalerError } from '../../errors.ts';
import { backoffMs } from '../../retry.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Get } from './https-get.ts';

const timeoutMs = 5_000;
const maxBytes = 64 * 1024;
/** Of topics, which a configuration lists. */
const maxSaid = 1_000;
/** With the longest pause between them, tries go on for about an hour. SNS's token is good for days. */
export const mostTries = 20;
const longestPauseMs = 300_000;
/** Each holds an address of at most 4 KiB. Only topics that a configuration lists have any. */
const maxPending = 1_000;

export interface ConfirmationsOptions {
  readonly get: Get;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

interface Wanted {
  /** Where a GET confirms it. */
  readonly url: string;
  readonly topic: string;
  readonly connection: string;
}

/**
 * Says yes to the subscriptions of topics that a connection lists. SNS has its answer when that begins and does not ask
 * again, so what fails is tried again here.
 */
export class Confirmations {
  private readonly options: ConfirmationsOptions;
  private readonly said = new Set<string>();
  /** Those that have failed so far, by their address. */
  private readonly pending = new Map<string, NodeJS.Timeout>();

  constructor(options: ConfirmationsOptions) {
    this.options = options;
    options.signal.addEventListener('abort', () => {
      for (const timer of this.pending.values()) clearTimeout(timer);
      this.pending.clear();
    });
  }

  /** Calls the URL of a verified message, which `isSubscribeUrl`. False if it is not confirmed yet. The log says whether it tries again. */
  confirm(wanted: Wanted): Promise<boolean> {
    return this.pending.has(wanted.url) ? Promise.resolve(false) : this.attempt(wanted, 1);
  }

  private async attempt(wanted: Wanted, tries: number): Promise<boolean> {
    const { get, signal } = this.options;
    const { url, topic, connection } = wanted;
    try {
      await get(url, { timeoutMs, maxBytes, signal });
    } catch (reason) {
      this.failed(wanted, tries, ScalerError.from(reason));
      return false;
    }
    this.pending.delete(url);
    this.say(topic, connection);
    return true;
  }

  private failed(wanted: Wanted, tries: number, { code, message: error }: ScalerError): void {
    const { log, signal } = this.options;
    const { url, topic, connection } = wanted;
    if (signal.aborted) return;
    const fields = { connection, topic, host: new URL(url).host, error, tries };
    const isFull = !this.pending.has(url) && this.pending.size >= maxPending;
    // SNS knows no such token: it is used, or too old.
    if (code === 'not_found' || tries >= mostTries || isFull) {
      this.pending.delete(url);
      log.error(
        fields,
        'a subscription of an SNS topic could not be confirmed, and is not tried again: let this pod reach the host by HTTPS, and choose "Request confirmation" of the subscription',
      );
      return;
    }
    if (tries === 1) {
      log.warn(
        fields,
        'a subscription of an SNS topic could not be confirmed yet; it is tried again, for about an hour: let this pod reach the host by HTTPS',
      );
    }
    const pauseMs = backoffMs(tries, Math.random(), longestPauseMs);
    const timer = setTimeout(() => void this.attempt(wanted, tries + 1), pauseMs);
    this.pending.set(url, timer.unref());
  }

  private say(topic: string, connection: string): void {
    const key = `${connection} ${topic}`;
    if (this.said.has(key)) return;
    if (this.said.size >= maxSaid) this.said.clear();
    this.said.add(key);
    this.options.log.info({ connection, topic }, 'a subscription of an SNS topic was confirmed');
  }
}
