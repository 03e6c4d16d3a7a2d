import type { Reader } from '../protocol/reader.ts';
import type { Writer } from '../protocol/writer.ts';

/** What every answer carries. */
export interface KafkaAnswer {
  /** How long the broker wants us to send nothing on the wire (KIP-219); the wire sees to it. */
  readonly throttleTimeMs: number;
}

/** One Kafka request of a fixed version: how it is written and how its answer is read. Errors inside stay per partition. */
export interface KafkaRequest<T extends KafkaAnswer> {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  /** Flexible versions carry tagged fields in their headers (KIP-482). */
  readonly flexible: boolean;
  write(to: Writer): void;
  read(from: Reader): T;
}

/** The inclusive version range a broker supports of an API; undefined: not at all. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** One authenticated socket to one broker. The broker serves one request at a time on it. */
export interface Wire {
  readonly address: string;
  readonly closed: boolean;
  versions(apiKey: number): VersionRange | undefined;
  /** Rejects with ScalerError `unavailable`; after a timeout the socket is destroyed, so that a half-open one cannot stay. */
  send<T extends KafkaAnswer>(request: KafkaRequest<T>, timeoutMs: number): Promise<T>;
  /** Rejects what is under way and destroys the socket. */
  close(): void;
}

/** Opens wires to the brokers of one cluster with the connection's credentials. */
export interface Dialer {
  /** Connects and authenticates; rejects with ScalerError. */
  dial(address: string): Promise<Wire>;
}
