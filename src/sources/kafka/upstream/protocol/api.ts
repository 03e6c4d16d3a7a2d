import type { IsolationLevel } from '../../rules/snapshot.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

/** Kafka's API keys of the requests we send (https://kafka.apache.org/protocol#protocol_api_keys). */
export const apiKeys = {
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetFetch: 9,
  findCoordinator: 10,
  describeGroups: 15,
  saslHandshake: 17,
  apiVersions: 18,
  saslAuthenticate: 36,
  consumerGroupDescribe: 69,
} as const;

/** The inclusive range of versions that a broker takes of an API. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** What every answer carries. */
export interface KafkaAnswer {
  /** How long the broker wants no request on the wire (KIP-219). The wire waits. */
  readonly throttleTimeMs: number;
}

/** One version of an API: how its request is written and its answer read. Errors inside stay per partition. */
export interface Codec<O, T> {
  /** Flexible versions carry tagged fields in their headers (KIP-482). */
  readonly flexible?: boolean;
  write(to: Encoder, options: O): void;
  read(from: Decoder, options: O): T;
}

/** What one needs to know of an API to tell whether a broker takes it. */
export interface Spoken {
  readonly apiKey: number;
  readonly apiName: string;
  /** The first release of Kafka that takes one of our versions. */
  readonly since: string;
  /** Those that we speak, ascending. */
  readonly versions: readonly number[];
}

/** A request in whichever version a broker takes. */
export interface KafkaRequest<T extends KafkaAnswer> extends Spoken {
  /** In one of `versions`. */
  at(version: number): VersionedRequest<T>;
}

/** A request in one version, as it goes out. */
export interface VersionedRequest<T extends KafkaAnswer> {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly flexible: boolean;
  write(to: Encoder): void;
  read(from: Decoder): T;
}

/** An API as a table of its versions. */
export class Api<O, T extends KafkaAnswer> implements Spoken {
  readonly apiKey: number;
  readonly apiName: string;
  readonly since: string;
  readonly versions: readonly number[];
  private readonly codecs: ReadonlyMap<number, Codec<O, T>>;

  constructor(about: Omit<Spoken, 'versions'>, codecs: Readonly<Record<number, Codec<O, T>>>) {
    this.apiKey = about.apiKey;
    this.apiName = about.apiName;
    this.since = about.since;
    this.codecs = new Map(Object.entries(codecs).map(([version, codec]) => [Number(version), codec]));
    this.versions = [...this.codecs.keys()].sort((a, b) => a - b);
  }

  request(options: O): KafkaRequest<T> {
    const { apiKey, apiName, since, versions } = this;
    return { apiKey, apiName, since, versions, at: (version) => this.at(version, options) };
  }

  private at(apiVersion: number, options: O): VersionedRequest<T> {
    const { apiKey, apiName } = this;
    const codec = this.codecs.get(apiVersion);
    if (codec === undefined) throw new Error(`${apiName} v${apiVersion} is none of ours`);
    return {
      apiKey,
      apiName,
      apiVersion,
      flexible: codec.flexible === true,
      write: (to) => codec.write(to, options),
      read: (from) => codec.read(from, options),
    };
  }
}

/** The highest common version, or undefined. */
export function highestCommon(
  { versions }: Pick<Spoken, 'versions'>,
  range: VersionRange | undefined,
): number | undefined {
  if (range === undefined) return undefined;
  return versions.findLast((version) => version >= range.min && version <= range.max);
}

/** The replica ID of a consumer. */
export const consumerReplicaId = -1;

/** Kafka's number of an isolation level, as ListOffsets and Fetch carry it. */
export function isolationByte(level: IsolationLevel): number {
  return level === 'readCommitted' ? 1 : 0;
}

export interface ApiVersionsAnswer extends KafkaAnswer {
  readonly errorCode: number;
  readonly versions: ReadonlyMap<number, VersionRange>;
}

const codec: Codec<undefined, ApiVersionsAnswer> = {
  write() {},
  read(from) {
    const errorCode = from.int16();
    const ranges = from.array((decoder): [number, VersionRange] => [
      decoder.int16(),
      { min: decoder.int16(), max: decoder.int16() },
    ]);
    // Version 0 ends here. A broker that does not take the version that it was asked in answers in version 0.
    const throttleTimeMs = from.remaining === 0 ? 0 : from.int32();
    return { throttleTimeMs, errorCode, versions: new Map(ranges) };
  },
};

const api = new Api(
  { apiKey: apiKeys.apiVersions, apiName: 'ApiVersions', since: '0.10' },
  { 0: codec, 2: codec },
);

/** The version for the first request to a broker: the newest that is not flexible. */
export const firstVersion = 2;
/** Every broker takes this one. */
export const lastResortVersion = 0;

/** Which versions of which requests the broker takes. */
export const apiVersions = () => api.request(undefined);
