import { Api, apiKeys, type Codec, type KafkaAnswer, type VersionRange } from './api.ts';

export interface ApiVersionsAnswer extends KafkaAnswer {
  readonly errorCode: number;
  readonly versions: ReadonlyMap<number, VersionRange>;
}

const codec: Codec<undefined, ApiVersionsAnswer> = {
  write() {},
  read(from) {
    const errorCode = from.int16();
    const ranges = from.array((reader): [number, VersionRange] => [
      reader.int16(),
      { min: reader.int16(), max: reader.int16() },
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

/** The version that is asked for before anything is known of the broker: the newest that is not flexible. */
export const firstVersion = 2;
/** Every broker takes this one. */
export const lastResortVersion = 0;

/** Which versions of which requests the broker takes. */
export const apiVersions = () => api.request(undefined);
