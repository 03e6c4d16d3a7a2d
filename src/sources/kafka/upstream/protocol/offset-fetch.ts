import { Api, apiKeys, type Codec, type KafkaAnswer } from './api.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

export interface CommittedOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** undefined: the group has no commit for the partition. */
  readonly committed: number | undefined;
}

export interface CommittedTopic {
  readonly topic: string;
  readonly partitions: readonly CommittedOffset[];
}

export interface GroupOffsets {
  readonly group: string;
  readonly errorCode: number;
  readonly topics: readonly CommittedTopic[];
}

export interface OffsetFetchAnswer extends KafkaAnswer {
  readonly groups: readonly GroupOffsets[];
}

export interface GroupTopics {
  group: string;
  /** `all`: every topic the group ever committed. */
  topics: ReadonlyMap<string, readonly number[]> | 'all';
}

/** Both versions are written and read alike. */
const single: Codec<GroupTopics, OffsetFetchAnswer> = {
  write(to, { group, topics }) {
    to.string(group);
    if (topics === 'all') {
      to.nullArray();
      return;
    }
    to.array(topics, (encoder, [topic, partitions]) => {
      encoder.string(topic).array(partitions, (each, partition) => each.int32(partition));
    });
  },
  read(from, { group }) {
    const throttleTimeMs = from.int32();
    const committed = from.array(readSingleTopic);
    return { throttleTimeMs, groups: [{ group, errorCode: from.int16(), topics: committed }] };
  },
};

const many: Codec<{ groups: readonly GroupTopics[] }, OffsetFetchAnswer> = {
  flexible: true,
  write(to, { groups }) {
    to.compactArray(groups, writeGroup);
    const requireStable = false;
    to.boolean(requireStable).noTags();
  },
  read(from) {
    const throttleTimeMs = from.int32();
    const groups = from.compactArray(readGroup);
    from.skipTags();
    return { throttleTimeMs, groups };
  },
};

const about = { apiKey: apiKeys.offsetFetch, apiName: 'OffsetFetch' };
const singleApi = new Api({ ...about, since: '0.11' }, { 3: single, 4: single });
/** KIP-709. */
const manyApi = new Api({ ...about, since: '3.0' }, { 8: many });

/** The commits of one group. */
export const offsetFetchSingle = (options: GroupTopics) => singleApi.request(options);

/** The commits of many groups of one coordinator. Offsets of open transactions are not waited for. */
export const offsetFetch = (options: { groups: readonly GroupTopics[] }) => manyApi.request(options);

function writeGroup(to: Encoder, { group, topics }: GroupTopics): void {
  to.compactString(group);
  if (topics === 'all') {
    to.compactNullArray().noTags();
    return;
  }
  to.compactArray(topics, (encoder, [topic, partitions]) => {
    encoder.compactString(topic);
    encoder.compactArray(partitions, (each, partition) => each.int32(partition)).noTags();
  });
  to.noTags();
}

function readGroup(from: Decoder): GroupOffsets {
  const group = from.compactString();
  const topics = from.compactArray(readTopic);
  const errorCode = from.int16();
  from.skipTags();
  return { group, errorCode, topics };
}

function readTopic(from: Decoder): CommittedTopic {
  const topic = from.compactString();
  const partitions = from.compactArray(readPartition);
  from.skipTags();
  return { topic, partitions };
}

function readPartition(from: Decoder): CommittedOffset {
  const partition = from.int32();
  const offset = from.int64();
  from.int32(); // leader epoch
  from.compactNullableString(); // the committer's own note
  const errorCode = from.int16();
  from.skipTags();
  return { partition, errorCode, committed: committedOrNone(offset) };
}

function readSingleTopic(from: Decoder): CommittedTopic {
  return { topic: from.string(), partitions: from.array(readSinglePartition) };
}

function readSinglePartition(from: Decoder): CommittedOffset {
  const partition = from.int32();
  const offset = from.int64();
  from.nullableString(); // the committer's own note
  return { partition, errorCode: from.int16(), committed: committedOrNone(offset) };
}

/** Kafka says -1 where there is no commit. */
function committedOrNone(offset: number): number | undefined {
  return offset < 0 ? undefined : offset;
}
