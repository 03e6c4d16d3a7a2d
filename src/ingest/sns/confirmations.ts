import { ScalerError } from '../../errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Get } from './https-get.ts';

const timeoutMs = 5_000;
const maxBytes = 64 * 1024;
/** Of topics, which a configuration lists. */
const maxSaid = 1_000;

export interface ConfirmationsOptions {
  readonly get: Get;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Says yes to the subscriptions of topics that a connection lists. */
export class Confirmations {
  private readonly options: ConfirmationsOptions;
  private readonly said = new Set<string>();

  constructor(options: ConfirmationsOptions) {
    this.options = options;
  }

  /** Calls the URL of a verified message, which `isSubscribeUrl`. False: it could not be confirmed, which is said. */
  async confirm(url: string, topic: string, connection: string): Promise<boolean> {
    const { get, signal, log } = this.options;
    try {
      await get(url, { timeoutMs, maxBytes, signal });
    } catch (reason) {
      const { message } = ScalerError.from(reason);
      log.error(
        { connection, topic, error: message },
        'a subscription of an SNS topic could not be confirmed; SNS asks again a few times, and then after "Request confirmation" of the subscription: let this pod reach sns.<region>.amazonaws.com by HTTPS',
      );
      return false;
    }
    this.say(topic, connection);
    return true;
  }

  private say(topic: string, connection: string): void {
    const key = `${connection} ${topic}`;
    if (this.said.has(key)) return;
    if (this.said.size >= maxSaid) this.said.clear();
    this.said.add(key);
    this.options.log.info({ connection, topic }, 'a subscription of an SNS topic was confirmed');
  }
}
