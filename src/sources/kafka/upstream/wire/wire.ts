import type { KafkaAnswer, KafkaRequest, Spoken } from '../protocol/api.ts';

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
