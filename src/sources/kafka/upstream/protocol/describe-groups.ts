import { Api, apiKeys, type Codec, type KafkaAnswer } from './api.ts';
import type { Decoder } from './decoder.ts';

/** What a group's coordinator says of it: enough to count its members. */
export interface GroupDescription {
  readonly group: string;
  readonly errorCode: number;
  /** Kafka's name of it: `Stable`, `Empty`, `Dead`, or one of a rebalance. */
  readonly state: string;
  readonly members: number;
}

export interface DescribeGroupsAnswer extends KafkaAnswer {
  readonly groups: readonly GroupDescription[];
}

interface Groups {
  readonly groups: readonly string[];
}

/** Both versions are written and read alike. */
const plain: Codec<Groups, DescribeGroupsAnswer> = {
  write(to, { groups }) {
    to.array(groups, (encoder, group) => encoder.string(group));
  },
  read(from) {
    const throttleTimeMs = from.int32();
    return { throttleTimeMs, groups: from.array(readGroup) };
  },
};

/** The flexible ones differ only in what they say of a group. */
const flexible = (group: (from: Decoder) => GroupDescription): Codec<Groups, DescribeGroupsAnswer> => ({
  flexible: true,
  write(to, { groups }) {
    to.compactArray(groups, (encoder, one) => encoder.compactString(one));
    const includeAuthorizedOperations = false;
    to.boolean(includeAuthorizedOperations).noTags();
  },
  read(from) {
    const throttleTimeMs = from.int32();
    const groups = from.compactArray(group);
    from.skipTags();
    return { throttleTimeMs, groups };
  },
});

const api = new Api(
  { apiKey: apiKeys.describeGroups, apiName: 'DescribeGroups', since: '0.11' },
  { 1: plain, 2: plain, 5: flexible(readFlexibleGroup) },
);
/** KIP-848: DescribeGroups does not know groups whose members the coordinator assigns. */
const consumerApi = new Api(
  { apiKey: apiKeys.consumerGroupDescribe, apiName: 'ConsumerGroupDescribe', since: '3.8' },
  { 0: flexible(readConsumerGroup) },
);

/** The members of groups of one coordinator, by the protocol that all clients know. */
export const describeGroups = (options: Groups) => api.request(options);

/** The members of groups of the newer protocol, which are `Dead` to `describeGroups`. */
export const describeConsumerGroups = (options: Groups) => consumerApi.request(options);

function readGroup(from: Decoder): GroupDescription {
  const errorCode = from.int16();
  const group = from.string();
  const state = from.string();
  from.string(); // protocol type
  from.string(); // protocol
  const members = from.array(skipMember).length;
  return { group, errorCode, state, members };
}

function skipMember(from: Decoder): void {
  from.string(); // member id
  from.string(); // client id
  from.string(); // host
  from.skipBytes(); // metadata
  from.skipBytes(); // assignment
}

function readFlexibleGroup(from: Decoder): GroupDescription {
  const errorCode = from.int16();
  const group = from.compactString();
  const state = from.compactString();
  from.compactString(); // protocol type
  from.compactString(); // protocol
  const members = from.compactArray(skipFlexibleMember).length;
  from.int32(); // authorized operations
  from.skipTags();
  return { group, errorCode, state, members };
}

function skipFlexibleMember(from: Decoder): void {
  from.compactString(); // member id
  from.compactNullableString(); // instance id
  from.compactString(); // client id
  from.compactString(); // host
  skipCompactBytes(from); // metadata
  skipCompactBytes(from); // assignment
  from.skipTags();
}

function readConsumerGroup(from: Decoder): GroupDescription {
  const errorCode = from.int16();
  from.compactNullableString(); // the error as text
  const group = from.compactString();
  const state = from.compactString();
  from.int32(); // group epoch
  from.int32(); // assignment epoch
  from.compactString(); // assignor
  const members = from.compactArray(skipConsumer).length;
  from.int32(); // authorized operations
  from.skipTags();
  return { group, errorCode, state, members };
}

function skipConsumer(from: Decoder): void {
  from.compactString(); // member id
  from.compactNullableString(); // instance id
  from.compactNullableString(); // rack
  from.int32(); // member epoch
  from.compactString(); // client id
  from.compactString(); // host
  from.compactArray((decoder) => decoder.compactString()); // topics
  from.compactNullableString(); // pattern of topics
  skipAssignment(from);
  skipAssignment(from); // the target
  from.skipTags();
}

const uuidBytes = 16;

function skipAssignment(from: Decoder): void {
  from.compactArray((decoder) => {
    decoder.skip(uuidBytes);
    decoder.compactString(); // topic
    decoder.compactArray((partitions) => partitions.int32());
    decoder.skipTags();
  });
  from.skipTags();
}

function skipCompactBytes(from: Decoder): void {
  from.skip(Math.max(0, from.uvarint() - 1));
}
