import { ScalerError } from '../../../../errors.ts';
import type { KafkaAnswer, KafkaRequest } from '../protocol/api.ts';
import type { Dialer, Wire } from '../wire/wire.ts';

/**
 * How long a broker may think before another one gets the request as well. If only that broker can answer, it gets the
 * request again on a new connection: the old one may have died silently.
 */
const hedgeAfterMs = 1000;
/** The most brokers whose reasons one message gives. */
const mostReasons = 8;

/** Sends one request on the wire that a job was given, within the connection's time limit. */
export type Send = <T extends KafkaAnswer>(request: KafkaRequest<T>) => Promise<T>;
type Job<T> = (send: Send, wire: Wire) => Promise<T>;

export interface BrokersOptions {
  /** The connection's name, for messages. */
  name: string;
  dialer: Dialer;
  bootstrapServers: readonly string[];
  requestTimeoutMs: number;
  /** A connection to this broker died silently: a new one got an answer, and it did not. */
  onSilent?: (address: string) => void;
}

/** The brokers of one cluster: one shared wire to each, dialed when first needed. Watches have their own wires. */
export class Brokers {
  private readonly options: BrokersOptions;
  private readonly wires = new Map<string, Wire>();
  private readonly dials = new Map<string, Promise<Wire>>();
  /** How many jobs are under way on a wire; one that was replaced is closed after the last. */
  private readonly underway = new Map<Wire, number>();
  /** Of brokers that were found to be slow, not silent: how long they may think. */
  private readonly patienceMs = new Map<string, number>();
  /** Who answered last; asked first. */
  private preferred: string | undefined;
  private known: readonly string[] = [];
  private closed = false;

  constructor(options: BrokersOptions) {
    this.options = options;
  }

  /** The brokers the cluster last said it has; they are asked when no bootstrap server answers. */
  learn(addresses: readonly string[]): void {
    this.known = addresses;
  }

  /** Has one broker do a job. @throws ScalerError */
  async ask<T>(address: string, job: Job<T>): Promise<T> {
    try {
      return await this.attempt(address, job);
    } catch (reason) {
      throw ScalerError.from(reason, 'unavailable').within(this.where);
    }
  }

  /**
   * Runs a job on any broker that answers. The next one gets it when one fails or is slow, so a broker that hangs after
   * accept delays nothing.
   * @throws ScalerError `unavailable` that gives each server's reason
   */
  askAny<T>(job: Job<T>): Promise<T> {
    const candidates = this.candidates();
    const reasons: string[] = [];
    let asked = 0;
    let hedge: NodeJS.Timeout | undefined;
    return new Promise((resolve, reject) => {
      const next = (): void => {
        clearTimeout(hedge);
        const address = candidates[asked];
        if (address === undefined) return;
        asked += 1;
        hedge = setTimeout(next, hedgeAfterMs);
        this.attempt(address, job).then(
          (answer) => {
            clearTimeout(hedge);
            asked = candidates.length;
            this.preferred = address;
            resolve(answer);
          },
          (reason: unknown) => {
            reasons.push(ScalerError.from(reason).message);
            if (reasons.length < candidates.length) return next();
            clearTimeout(hedge);
            reject(this.nobodyAnswers(reasons, reason));
          },
        );
      };
      next();
    });
  }

  /** Closes every wire. Resolves when those that were being dialed are gone as well. */
  async close(): Promise<void> {
    this.closed = true;
    for (const wire of [...this.wires.values(), ...this.underway.keys()]) wire.close();
    this.wires.clear();
    await Promise.allSettled(this.dials.values());
  }

  /** Another connection to the broker died silently: the next request dials. */
  suspect(address: string): void {
    const wire = this.wires.get(address);
    if (wire !== undefined) this.retire(address, wire);
  }

  private async attempt<T>(address: string, job: Job<T>): Promise<T> {
    const known = this.wires.get(address);
    const wire = await this.wire(address);
    return wire === known ? this.hedged(address, wire, job) : this.run(wire, job);
  }

  private async run<T>(wire: Wire, job: Job<T>): Promise<T> {
    this.underway.set(wire, (this.underway.get(wire) ?? 0) + 1);
    try {
      return await job((request) => wire.send(request, this.options.requestTimeoutMs), wire);
    } finally {
      const left = (this.underway.get(wire) ?? 1) - 1;
      if (left > 0) this.underway.set(wire, left);
      else this.underway.delete(wire);
      if (left === 0 && this.wires.get(wire.address) !== wire) wire.close();
    }
  }

  /**
   * A job on a wire that may have died since it was last used. Where nothing is heard of it in time, the job is done
   * once more on a new one; whichever answers first counts. A broker that is only slow is given more time after that.
   */
  private hedged<T>(address: string, wire: Wire, job: Job<T>): Promise<T> {
    const { requestTimeoutMs, onSilent } = this.options;
    const patienceMs = this.patienceMs.get(address) ?? hedgeAfterMs;
    const endMs = performance.now() + requestTimeoutMs;
    return new Promise((resolve, reject) => {
      let second: 'not yet' | 'under way' | 'failed' = 'not yet';
      let isSilent = true;
      let lost: { readonly reason: unknown } | undefined;
      const again = async (): Promise<void> => {
        second = 'under way';
        try {
          const answer = await this.run(await this.replace(address, wire), job);
          if (isSilent) onSilent?.(address);
          resolve(answer);
        } catch {
          second = 'failed';
          if (lost) reject(lost.reason);
        }
      };
      const timer = setTimeout(() => void again(), patienceMs + wire.throttledMs);
      this.run(wire, job).then(
        (answer) => {
          clearTimeout(timer);
          isSilent = false;
          if (second === 'not yet') this.patienceMs.delete(address);
          else this.patienceMs.set(address, Math.min(patienceMs * 2, requestTimeoutMs));
          resolve(answer);
        },
        (reason: unknown) => {
          clearTimeout(timer);
          lost = { reason };
          // One that was lost before its time may still be made up for.
          if (second !== 'under way' || performance.now() >= endMs) reject(reason);
        },
      );
    });
  }

  /** A new wire in the place of this one, which stays where no other is to be had. */
  private async replace(address: string, wire: Wire): Promise<Wire> {
    if (this.wires.get(address) === wire) this.wires.delete(address);
    try {
      return await this.wire(address);
    } catch (reason) {
      if (!this.wires.has(address) && !this.closed && !wire.closed) this.wires.set(address, wire);
      throw reason;
    }
  }

  private retire(address: string, wire: Wire): void {
    this.wires.delete(address);
    if (!this.underway.has(wire)) wire.close();
  }

  /** An open wire to this broker. Those who ask at the same time share one dial. */
  private wire(address: string): Promise<Wire> {
    if (this.closed) return Promise.reject(closedError());
    const open = this.wires.get(address);
    if (open && !open.closed) return Promise.resolve(open);
    const dialing = this.dials.get(address);
    if (dialing !== undefined) return dialing;
    const dial = this.dial(address).finally(() => this.dials.delete(address));
    this.dials.set(address, dial);
    return dial;
  }

  private async dial(address: string): Promise<Wire> {
    const wire = await this.options.dialer.dial(address);
    if (this.closed) {
      wire.close();
      throw closedError();
    }
    this.wires.set(address, wire);
    return wire;
  }

  private candidates(): string[] {
    const preferred = this.preferred === undefined ? [] : [this.preferred];
    return [...new Set([...preferred, ...this.options.bootstrapServers, ...this.known])];
  }

  private get where(): string {
    return `kafka connection ${JSON.stringify(this.options.name)}`;
  }

  private nobodyAnswers(reasons: readonly string[], cause: unknown): ScalerError {
    const shown = reasons.slice(0, mostReasons).join('; ');
    const more = reasons.length > mostReasons ? `; and ${reasons.length - mostReasons} more` : '';
    return new ScalerError('unavailable', `${this.where}: no broker answers: ${shown}${more}`, { cause });
  }
}

function closedError(): ScalerError {
  return new ScalerError('unavailable', 'the connection is closed');
}
