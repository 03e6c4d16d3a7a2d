import { parseAddress } from '../../../src/sources/kafka/upstream/protocol/address.ts';
import type { Decoder } from '../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../src/sources/kafka/upstream/protocol/encoder.ts';
import { errorCodes } from '../../../src/sources/kafka/upstream/protocol/error-codes.ts';
import type { ModelKafka } from './model-kafka.ts';

export interface ModelAnswer {
  names: readonly string[];
  bytes: Buffer;
}

interface Asked {
  apiName: string;
  apiVersion: number;
}

/** Reads a request and writes its answer, the reverse of the product's codecs. */
export function answerOf(asked: Asked, from: Decoder, model: ModelKafka, address: string): ModelAnswer {
  const node = model.addresses.indexOf(address);
  switch (`${asked.apiName} ${asked.apiVersion}`) {
    case 'Metadata 6':
      return metadata(from, model);
    case 'ListOffsets 3':
      return listOffsets(from, model, node);
    case 'FindCoordinator 2':
      return findCoordinator(from, model);
    case 'FindCoordinator 4':
      return findCoordinators(from, model);
    case 'OffsetFetch 4':
      return offsetFetchSingle(from, model, node);
    case 'OffsetFetch 8':
      return offsetFetch(from, model, node);
    case 'DescribeGroups 5':
      return describeGroups(from, model, node);
    case 'ConsumerGroupDescribe 0':
      return describeConsumerGroups(from, model);
    default:
      throw new Error(`the model does not answer ${asked.apiName} ${asked.apiVersion}`);
  }
}

function hostPort(address: string): { host: string; port: number } {
  return parseAddress(address) ?? { host: '', port: -1 };
}

function metadata(from: Decoder, model: ModelKafka): ModelAnswer {
  const count = from.int32();
  const seen = [...model.topics.keys()].filter((topic) => !isHidden(model, topic));
  const names = count < 0 ? seen : Array.from({ length: count }, () => from.string());
  const to = new Encoder().int32(0);
  to.array(model.addresses, (writer, address) => {
    const { host, port } = hostPort(address);
    writer.int32(model.addresses.indexOf(address)).string(host).int32(port).int16(-1);
  });
  to.int16(-1).int32(0);
  to.array(names, (writer, topic) => {
    const partitions = model.topics.get(topic);
    const missing = partitions ? 0 : errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    writer
      .int16(model.topicErrors.get(topic) ?? missing)
      .string(topic)
      .boolean(topic.startsWith('__'));
    writer.array([...(partitions ?? []).entries()], (each, [partition, { leader }]) => {
      const error = leader < 0 ? errorCodes.LEADER_NOT_AVAILABLE : 0;
      each.int16(error).int32(partition).int32(leader).array([], ignore).array([], ignore).array([], ignore);
    });
  });
  return { names: count < 0 ? ['all'] : names, bytes: to.finish() };
}

/** A topic that our user may not see is silently left out, unless it is requested by name. */
function isHidden(model: ModelKafka, topic: string): boolean {
  return model.topicErrors.get(topic) === errorCodes.TOPIC_AUTHORIZATION_FAILED;
}

function listOffsets(from: Decoder, model: ModelKafka, node: number): ModelAnswer {
  from.int32();
  const readCommitted = from.int8() === 1;
  const asked = from.array((topic) => ({
    topic: topic.string(),
    partitions: topic.array((each) => ({ partition: each.int32(), timestamp: each.int64() })),
  }));
  const to = new Encoder().int32(0);
  to.array(asked, (writer, { topic, partitions }) => {
    writer.string(topic);
    writer.array(partitions, (each, { partition, timestamp }) => {
      const log = model.topics.get(topic)?.[partition];
      const error = model.partitionErrors.get(`${topic}/${partition}`) ?? leaderError(log?.leader, node);
      const end = readCommitted ? log?.lastStableOffset : log?.highWatermark;
      const offset = timestamp === -2 ? log?.logStart : end;
      each
        .int32(partition)
        .int16(error)
        .int64(-1)
        .int64(error === 0 ? (offset ?? -1) : -1);
    });
  });
  return { names: asked.map(({ topic }) => topic), bytes: to.finish() };
}

function leaderError(leader: number | undefined, node: number): number {
  if (leader === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  return leader === node ? 0 : errorCodes.NOT_LEADER_OR_FOLLOWER;
}

/** The first broker coordinates unknown groups. */
function coordinatorOf(model: ModelKafka, group: string) {
  const node = model.groups.get(group)?.coordinator ?? 0;
  return { node, error: model.groupErrors.get(group) ?? 0, ...hostPort(model.addresses[node] ?? '') };
}

function findCoordinator(from: Decoder, model: ModelKafka): ModelAnswer {
  const group = from.string();
  const { node, error, host, port } = coordinatorOf(model, group);
  const to = new Encoder().int32(0).int16(error).int16(-1).int32(node).string(host).int32(port);
  return { names: [group], bytes: to.finish() };
}

function findCoordinators(from: Decoder, model: ModelKafka): ModelAnswer {
  from.int8();
  const groups = from.compactArray((reader) => reader.compactString());
  const to = new Encoder().int32(0);
  to.compactArray(groups, (writer, group) => {
    const { node, error, host, port } = coordinatorOf(model, group);
    writer.compactString(group).int32(node).compactString(host).int32(port).int16(error).uvarint(0).noTags();
  });
  return { names: groups, bytes: to.noTags().finish() };
}

function describeGroups(from: Decoder, model: ModelKafka, node: number): ModelAnswer {
  const groups = from.compactArray((reader) => reader.compactString());
  const to = new Encoder().int32(0);
  to.compactArray(groups, (writer, group) => {
    const known = model.members.get(group);
    const { state, members } = known && !known.newer ? known : { state: 'Dead', members: 0 };
    writer
      .int16(groupError(model, group, node))
      .compactString(group)
      .compactString(state);
    writer.compactString('consumer').compactString('range');
    writer.compactArray(Array.from({ length: members }), (each) => {
      each.compactString('m').uvarint(0).compactString('c').compactString('/').uvarint(1).uvarint(1).noTags();
    });
    writer.int32(0).noTags();
  });
  return { names: groups, bytes: to.noTags().finish() };
}

function describeConsumerGroups(from: Decoder, model: ModelKafka): ModelAnswer {
  const groups = from.compactArray((reader) => reader.compactString());
  const to = new Encoder().int32(0);
  to.compactArray(groups, (writer, group) => {
    const known = model.members.get(group);
    const { state, members } = known?.newer ? known : { state: '', members: 0 };
    writer.int16(known?.newer ? 0 : errorCodes.GROUP_ID_NOT_FOUND).uvarint(0);
    writer.compactString(group).compactString(state).int32(1).int32(1).compactString('uniform');
    writer.compactArray(Array.from({ length: members }), (each) => {
      each.compactString('m').uvarint(0).uvarint(0).int32(1).compactString('c').compactString('/');
      each.compactArray(['t'], (topic, name) => topic.compactString(name)).uvarint(0);
      each.compactArray([], ignore).noTags().compactArray([], ignore).noTags().noTags();
    });
    writer.int32(0).noTags();
  });
  return { names: groups, bytes: to.noTags().finish() };
}

type Commits = [topic: string, offsets: [partition: number, offset: number][]][];

/** The group's commits for these topics, or for all. */
function commitsOf(model: ModelKafka, group: string, asked: [string, number[]][] | 'all'): Commits {
  const commits = model.groups.get(group)?.commits ?? new Map<string, Map<number, number>>();
  if (asked === 'all') {
    const seen = [...commits].filter(([topic]) => !isHidden(model, topic));
    return seen.map(([topic, offsets]) => [topic, [...offsets]]);
  }
  return asked.map(([topic, partitions]) => [
    topic,
    partitions.map((partition) => [partition, commits.get(topic)?.get(partition) ?? -1]),
  ]);
}

function groupError(model: ModelKafka, group: string, node: number): number {
  const isHere = coordinatorOf(model, group).node === node;
  return model.groupErrors.get(group) ?? (isHere ? 0 : errorCodes.NOT_COORDINATOR);
}

function offsetFetch(from: Decoder, model: ModelKafka, node: number): ModelAnswer {
  const groups = from.compactArray((reader) => {
    const group = reader.compactString();
    const count = reader.uvarint();
    const topics = Array.from({ length: Math.max(0, count - 1) }, (): [string, number[]] => {
      const topic: [string, number[]] = [reader.compactString(), reader.compactArray((each) => each.int32())];
      reader.skipTags();
      return topic;
    });
    reader.skipTags();
    return { group, asked: count === 0 ? ('all' as const) : topics };
  });
  const to = new Encoder().int32(0);
  to.compactArray(groups, (writer, { group, asked }) => {
    const error = groupError(model, group, node);
    writer.compactString(group);
    writer.compactArray(error === 0 ? commitsOf(model, group, asked) : [], (each, [topic, offsets]) => {
      each.compactString(topic).compactArray(offsets, (one, [partition, offset]) => {
        one.int32(partition).int64(offset).int32(-1).uvarint(0).int16(0).noTags();
      });
      each.noTags();
    });
    writer.int16(error).noTags();
  });
  return { names: groups.map(({ group }) => group), bytes: to.noTags().finish() };
}

function offsetFetchSingle(from: Decoder, model: ModelKafka, node: number): ModelAnswer {
  const group = from.string();
  const count = from.int32();
  const topics = Array.from({ length: Math.max(0, count) }, (): [string, number[]] => [
    from.string(),
    from.array((each) => each.int32()),
  ]);
  const error = groupError(model, group, node);
  const commits = error === 0 ? commitsOf(model, group, count < 0 ? 'all' : topics) : [];
  const to = new Encoder().int32(0);
  to.array(commits, (writer, [topic, offsets]) => {
    writer.string(topic).array(offsets, (each, [partition, offset]) => {
      each.int32(partition).int64(offset).int16(-1).int16(0);
    });
  });
  return { names: [group], bytes: to.int16(error).finish() };
}

function ignore(): void {}
