import { ScalerError } from '../../../../errors.ts';
import { fromKafka } from '../errors.ts';
import {
  highestCommon,
  type KafkaAnswer,
  type KafkaRequest,
  type Spoken,
  type VersionedRequest,
  type VersionRange,
} from '../protocol/api.ts';
import type { KafkaJsConnection } from './kafkajs-connection.ts';

/** One authenticated socket to one broker. The broker serves one request at a time on it. */
export interface Wire {
  readonly address: string;
  readonly closed: boolean;
  /** How long the broker wants us to send nothing on it now, in ms. */
  readonly throttledMs: number;
  /** Whether the broker takes a version of the API that we speak. */
  takes(api: Spoken): boolean;
  /** Sends it in the highest version that the broker takes as well. Rejects with ScalerError `unavailable`; after a timeout the socket is destroyed, so that a half-open one cannot stay. */
  send<T extends KafkaAnswer>(request: KafkaRequest<T>, timeoutMs: number): Promise<T>;
  /** Rejects what is under way and destroys the socket. */
  close(): void;
}

/** Opens wires to the brokers of one cluster with the connection's credentials. */
export interface Dialer {
  /** Connects and authenticates; rejects with ScalerError. */
  dial(address: string): Promise<Wire>;
}

export interface BrokerWireOptions {
  address: string;
  connection: KafkaJsConnection;
  versions: ReadonlyMap<number, VersionRange>;
  /** The longest a renewed login may take. */
  loginTimeoutMs: number;
  /** An answer said that nothing is to be sent for so many ms. */
  onThrottled(throttleMs: number): void;
}

/**
 * A wire over a connection that is logged in.
 *
 * A login whose session ends (KIP-368) is renewed on the same socket. New requests wait until those in flight are answered.
 * Only then the renewal starts. The broker closes a socket on which anything comes between the requests of a login.
 * kafkajs checks whether a login is due before it encodes a request, not when it writes.
 */
export class BrokerWire implements Wire {
  readonly address: string;
  private readonly options: BrokerWireOptions;
  private underway = 0;
  private onDrained: (() => void) | undefined;
  private renewal: Promise<void> | undefined;

  constructor(options: BrokerWireOptions) {
    this.address = options.address;
    this.options = options;
  }

  get closed(): boolean {
    return this.options.connection.gone !== undefined;
  }

  get throttledMs(): number {
    return this.options.connection.throttledMs;
  }

  takes(api: Spoken): boolean {
    return highestCommon(api, this.options.versions.get(api.apiKey)) !== undefined;
  }

  /** `timeoutMs` runs from the moment the request may be written: not while a login is renewed or a throttle lasts. */
  async send<T extends KafkaAnswer>(request: KafkaRequest<T>, timeoutMs: number): Promise<T> {
    const { connection } = this.options;
    const versioned = this.inVersion(request);
    if (connection.gone === undefined && connection.loginDue) this.renewal ??= this.startRenewal();
    if (this.renewal !== undefined) await this.renewal;
    if (connection.gone !== undefined) throw connection.gone;
    const timer = setTimeout(() => {
      const what = `${request.apiName} within ${timeoutMs} ms`;
      connection.destroy(this.unavailable(`does not answer ${what}; its socket is dropped`));
    }, timeoutMs + connection.throttledMs);
    this.underway += 1;
    try {
      const answer = await connection.exchange(versioned);
      if (answer.throttleTimeMs > 0) this.options.onThrottled(answer.throttleTimeMs);
      return answer;
    } catch (reason) {
      throw fromKafka(reason, this.address);
    } finally {
      clearTimeout(timer);
      this.underway -= 1;
      if (this.underway === 0) this.onDrained?.();
    }
  }

  close(): void {
    this.options.connection.destroy(this.unavailable('was left: its wire is closed'));
  }

  private startRenewal(): Promise<void> {
    return this.renew().finally(() => {
      this.renewal = undefined;
    });
  }

  private async renew(): Promise<void> {
    const { connection, versions, loginTimeoutMs } = this.options;
    await this.drained();
    const timer = setTimeout(() => {
      connection.destroy(this.unavailable(`does not renew the login within ${loginTimeoutMs} ms`));
    }, loginTimeoutMs);
    try {
      await connection.login(versions);
    } catch (reason) {
      const error = fromKafka(reason, this.address);
      connection.destroy(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends for certain: each request in flight has its timeout. */
  private drained(): Promise<void> {
    if (this.underway === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onDrained = () => {
        this.onDrained = undefined;
        resolve();
      };
    });
  }

  private inVersion<T extends KafkaAnswer>(request: KafkaRequest<T>): VersionedRequest<T> {
    const { apiKey, apiName, versions, since } = request;
    const range = this.options.versions.get(apiKey);
    const version = highestCommon(request, range);
    if (version !== undefined) return request.at(version);
    const taken = range === undefined ? 'not at all' : `in v${range.min} to v${range.max}`;
    const ours = `v${versions[0]} to v${versions.at(-1)}`;
    const isOld = range === undefined || range.max < (versions[0] ?? 0);
    const needed = isOld ? `Kafka ${since} or newer is needed` : 'a newer backlog-scaler is needed';
    throw this.unavailable(`takes ${apiName} ${taken}, and the scaler speaks ${ours}: ${needed}`);
  }

  private unavailable(text: string): ScalerError {
    return new ScalerError('unavailable', `broker ${this.address} ${text}`);
  }
}
