import { formatAddress } from './address.ts';
import { Api, apiKeys, type Codec, type KafkaAnswer } from './api.ts';
import type { Decoder } from './decoder.ts';

export interface Coordinator {
  readonly group: string;
  readonly errorCode: number;
  /** -1 when there is an error. */
  readonly nodeId: number;
  /** `host:port`; meaningless when there is an error. */
  readonly address: string;
}

export interface FindCoordinatorAnswer extends KafkaAnswer {
  readonly coordinators: readonly Coordinator[];
}

/** Kafka's key type that says a key is a group, not a transactional ID. */
const groupKeyType = 0;

/** Both versions are written and read alike. */
const single: Codec<{ group: string }, FindCoordinatorAnswer> = {
  write(to, { group }) {
    to.string(group).int8(groupKeyType);
  },
  read(from, { group }) {
    const throttleTimeMs = from.int32();
    const errorCode = from.int16();
    from.nullableString(); // the error as text
    const nodeId = from.int32();
    const address = formatAddress({ host: from.string(), port: from.int32() });
    return { throttleTimeMs, coordinators: [{ group, errorCode, nodeId, address }] };
  },
};

const many: Codec<{ groups: readonly string[] }, FindCoordinatorAnswer> = {
  flexible: true,
  write(to, { groups }) {
    to.int8(groupKeyType);
    to.compactArray(groups, (encoder, group) => encoder.compactString(group)).noTags();
  },
  read(from) {
    const throttleTimeMs = from.int32();
    const coordinators = from.compactArray(readCoordinator);
    from.skipTags();
    return { throttleTimeMs, coordinators };
  },
};

const about = { apiKey: apiKeys.findCoordinator, apiName: 'FindCoordinator' };
const singleApi = new Api({ ...about, since: '0.11' }, { 1: single, 2: single });
/** KIP-699. */
const manyApi = new Api({ ...about, since: '3.0' }, { 4: many });

/** The broker that keeps a group's commits. */
export const findCoordinator = (options: { group: string }) => singleApi.request(options);

/** The same for many groups at once. */
export const findCoordinators = (options: { groups: readonly string[] }) => manyApi.request(options);

function readCoordinator(from: Decoder): Coordinator {
  const group = from.compactString();
  const nodeId = from.int32();
  const address = formatAddress({ host: from.compactString(), port: from.int32() });
  const errorCode = from.int16();
  from.compactNullableString(); // the error as text
  from.skipTags();
  return { group, errorCode, nodeId, address };
}
