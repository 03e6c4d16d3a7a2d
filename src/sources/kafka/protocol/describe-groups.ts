import type { KafkaAnswer, KafkaRequest } from '../wire/wire.ts';
import { apiKeys } from './api-keys.ts';
import type { Reader } from './reader.ts';

export interface DescribedGroup {
  readonly group: string;
  readonly errorCode: number;
  /** Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead`. */
  readonly state: string;
  readonly memberCount: number;
}

export interface DescribeGroupsAnswer extends KafkaAnswer {
  readonly groups: readonly DescribedGroup[];
}

/** State and size of the groups of one coordinator. Version 2 (Kafka 2.0). */
export function describeGroups({
  groups,
}: {
  groups: readonly string[];
}): KafkaRequest<DescribeGroupsAnswer> {
  return {
    apiKey: apiKeys.describeGroups,
    apiName: 'DescribeGroups',
    apiVersion: 2,
    flexible: false,
    write(to) {
      to.array(groups, (writer, group) => writer.string(group));
    },
    read(from) {
      const throttleTimeMs = from.int32();
      return { throttleTimeMs, groups: from.array(readGroup) };
    },
  };
}

function readGroup(from: Reader): DescribedGroup {
  const errorCode = from.int16();
  const group = from.string();
  const state = from.string();
  from.string(); // protocol type
  from.string(); // protocol
  const members = from.array(skipMember);
  return { group, errorCode, state, memberCount: members.length };
}

function skipMember(from: Reader): void {
  from.string(); // member id
  from.string(); // client id
  from.string(); // client host
  from.skipBytes(); // subscription
  from.skipBytes(); // assignment
}
