import type { KafkaAnswer, KafkaRequest, VersionRange } from '../wire/wire.ts';
import { apiKeys } from './api-keys.ts';

export interface ApiVersionsAnswer extends KafkaAnswer {
  readonly errorCode: number;
  readonly versions: ReadonlyMap<number, VersionRange>;
}

/** Which versions of which requests the broker takes. Version 2, the newest that is not flexible. */
export function apiVersions(): KafkaRequest<ApiVersionsAnswer> {
  return {
    apiKey: apiKeys.apiVersions,
    apiName: 'ApiVersions',
    apiVersion: 2,
    flexible: false,
    write() {},
    read(from) {
      const errorCode = from.int16();
      const ranges = from.array((reader): [number, VersionRange] => [
        reader.int16(),
        { min: reader.int16(), max: reader.int16() },
      ]);
      // A broker that does not know version 2 answers in version 0, which ends here.
      const throttleTimeMs = from.remaining === 0 ? 0 : from.int32();
      return { throttleTimeMs, errorCode, versions: new Map(ranges) };
    },
  };
}
