import type { KafkaAnswer, KafkaRequest } from '../wire/wire.ts';
import { formatAddress } from './address.ts';
import { apiKeys } from './api-keys.ts';
import type { Reader } from './reader.ts';

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

/** Kafka's key type that says a key is a group, not a transactional id. */
const groupKeyType = 0;

/** The lowest version that takes several groups at once (KIP-699, Kafka 3.0). */
export const multiKeyVersion = 4;

/** The broker that keeps a group's commits. Version 2 (Kafka 2.0). */
export function findCoordinator({ group }: { group: string }): KafkaRequest<FindCoordinatorAnswer> {
  return {
    apiKey: apiKeys.findCoordinator,
    apiName: 'FindCoordinator',
    apiVersion: 2,
    flexible: false,
    write(to) {
      to.string(group).int8(groupKeyType);
    },
    read(from) {
      const throttleTimeMs = from.int32();
      const errorCode = from.int16();
      from.nullableString(); // the error as text
      const nodeId = from.int32();
      const address = formatAddress({ host: from.string(), port: from.int32() });
      return { throttleTimeMs, coordinators: [{ group, errorCode, nodeId, address }] };
    },
  };
}

/** The same for many groups at once. */
export function findCoordinators({
  groups,
}: {
  groups: readonly string[];
}): KafkaRequest<FindCoordinatorAnswer> {
  return {
    apiKey: apiKeys.findCoordinator,
    apiName: 'FindCoordinator',
    apiVersion: multiKeyVersion,
    flexible: true,
    write(to) {
      to.int8(groupKeyType);
      to.compactArray(groups, (writer, group) => writer.compactString(group)).noTags();
    },
    read(from) {
      const throttleTimeMs = from.int32();
      const coordinators = from.compactArray(readCoordinator);
      from.skipTags();
      return { throttleTimeMs, coordinators };
    },
  };
}

function readCoordinator(from: Reader): Coordinator {
  const group = from.compactString();
  const nodeId = from.int32();
  const address = formatAddress({ host: from.compactString(), port: from.int32() });
  const errorCode = from.int16();
  from.compactNullableString(); // the error as text
  from.skipTags();
  return { group, errorCode, nodeId, address };
}
