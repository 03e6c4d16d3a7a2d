import type { KafkaAnswer, KafkaRequest } from '../../../../../../src/sources/kafka/upstream/protocol/api.ts';
import { apiVersions } from '../../../../../../src/sources/kafka/upstream/protocol/api.ts';
import {
  describeConsumerGroups,
  describeGroups,
} from '../../../../../../src/sources/kafka/upstream/protocol/describe-groups.ts';
import { fetch } from '../../../../../../src/sources/kafka/upstream/protocol/fetch.ts';
import {
  findCoordinator,
  findCoordinators,
} from '../../../../../../src/sources/kafka/upstream/protocol/find-coordinator.ts';
import { listOffsets } from '../../../../../../src/sources/kafka/upstream/protocol/list-offsets.ts';
import { metadata } from '../../../../../../src/sources/kafka/upstream/protocol/metadata.ts';
import {
  offsetFetch,
  offsetFetchSingle,
} from '../../../../../../src/sources/kafka/upstream/protocol/offset-fetch.ts';

export interface Golden {
  name: string;
  request: KafkaRequest<KafkaAnswer>;
  /** By default the newest. */
  version?: number;
  /** See `bytes` in hex.ts. */
  body: string;
  expected: object;
}

const none: ReadonlyMap<string, readonly number[]> = new Map();
const throttle = '00000007';

/** Answers made by hand from Kafka's message definitions. Each has an error beside a success. */
const newest: readonly Golden[] = [
  {
    name: 'ApiVersions v2',
    request: apiVersions(),
    body: '0000 00000002 0001 0004 0012 0009 0001 000a 00000007',
    expected: {
      throttleTimeMs: 7,
      errorCode: 0,
      versions: new Map([
        [1, { min: 4, max: 18 }],
        [9, { min: 1, max: 10 }],
      ]),
    },
  },
  {
    name: 'Metadata v6',
    request: metadata({ topics: ['a'] }),
    body: `${throttle}
      00000002 00000001 0002'b1' 00002384 ffff 00000002 0003'::1' 00002385 0002'r1'
      0002'id' 00000001
      00000002
      0000 0001'a' 00 00000002
        0000 00000000 00000002 00000001 00000002 00000001 00000002 00000000
        0005 00000001 ffffffff 00000000 00000000 00000001 00000002
      0003 0001'x' 01 00000000`,
    expected: {
      throttleTimeMs: 7,
      brokers: [
        { nodeId: 1, address: 'b1:9092' },
        { nodeId: 2, address: '[::1]:9093' },
      ],
      topics: [
        {
          topic: 'a',
          errorCode: 0,
          internal: false,
          partitions: [
            { partition: 0, errorCode: 0, leader: 2 },
            { partition: 1, errorCode: 5, leader: -1 },
          ],
        },
        { topic: 'x', errorCode: 3, internal: true, partitions: [] },
      ],
    },
  },
  {
    name: 'ListOffsets v3',
    request: listOffsets({ topics: none, timestamp: 'end', isolationLevel: 'readUncommitted' }),
    body: `${throttle} 00000001 0001'a' 00000002
      00000000 0000 ffffffffffffffff 0000000100000002
      00000001 0006 ffffffffffffffff ffffffffffffffff`,
    expected: {
      throttleTimeMs: 7,
      topics: [
        {
          topic: 'a',
          partitions: [
            { partition: 0, errorCode: 0, offset: 2 ** 32 + 2 },
            { partition: 1, errorCode: 6, offset: -1 },
          ],
        },
      ],
    },
  },
  {
    name: 'OffsetFetch v8',
    request: offsetFetch({ groups: [] }),
    body: `${throttle} 03
      02'g' 02 02'a' 04
        00000000 0000000000000005 ffffffff 00 0000 00
        00000001 ffffffffffffffff ffffffff 01 0000 00
        00000002 ffffffffffffffff 00000003 03'hi' 001d 01 00 01 ff
        00 0000 00
      02'h' 01 001e 00
      00`,
    expected: {
      throttleTimeMs: 7,
      groups: [
        {
          group: 'g',
          errorCode: 0,
          topics: [
            {
              topic: 'a',
              partitions: [
                { partition: 0, errorCode: 0, committed: 5 },
                { partition: 1, errorCode: 0, committed: undefined },
                { partition: 2, errorCode: 29, committed: undefined },
              ],
            },
          ],
        },
        { group: 'h', errorCode: 30, topics: [] },
      ],
    },
  },
  {
    name: 'OffsetFetch v4',
    request: offsetFetchSingle({ group: 'g', topics: 'all' }),
    body: `${throttle} 00000001 0001'a' 00000002
      00000000 0000000000000005 ffff 0000
      00000001 ffffffffffffffff 0002'hi' 0003
      0010`,
    expected: {
      throttleTimeMs: 7,
      groups: [
        {
          group: 'g',
          errorCode: 16,
          topics: [
            {
              topic: 'a',
              partitions: [
                { partition: 0, errorCode: 0, committed: 5 },
                { partition: 1, errorCode: 3, committed: undefined },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    name: 'FindCoordinator v2',
    request: findCoordinator({ group: 'g' }),
    body: `${throttle} 000f 0002'no' ffffffff 0000 ffffffff`,
    expected: {
      throttleTimeMs: 7,
      coordinators: [{ group: 'g', errorCode: 15, nodeId: -1, address: ':-1' }],
    },
  },
  {
    name: 'FindCoordinator v4',
    request: findCoordinators({ groups: ['g', 'h'] }),
    body: `${throttle} 03
      02'g' 00000001 03'b1' 00002384 0000 00 00
      02'h' ffffffff 01 ffffffff 001e 03'no' 00
      00`,
    expected: {
      throttleTimeMs: 7,
      coordinators: [
        { group: 'g', errorCode: 0, nodeId: 1, address: 'b1:9092' },
        { group: 'h', errorCode: 30, nodeId: -1, address: ':-1' },
      ],
    },
  },
  {
    name: 'DescribeGroups v2',
    version: 2,
    request: describeGroups({ groups: ['g', 'h'] }),
    body: `${throttle} 00000002
      0000 0001'g' 0006'Stable' 0008'consumer' 0005'range' 00000002
        0002'm1' 0001'c' 0002'/1' 00000003'abc' 00000001'x'
        0002'm2' 0001'c' 0002'/2' 00000000 ffffffff
      001e 0001'h' 0000 0000 0000 00000000`,
    expected: {
      throttleTimeMs: 7,
      groups: [
        { group: 'g', errorCode: 0, state: 'Stable', members: 2 },
        { group: 'h', errorCode: 30, state: '', members: 0 },
      ],
    },
  },
  {
    name: 'DescribeGroups v5',
    request: describeGroups({ groups: ['g', 'h'] }),
    body: `${throttle} 03
      0000 02'g' 07'Stable' 09'consumer' 06'range' 02
        03'm1' 00 02'c' 03'/1' 04'abc' 01 00
        80000000 00
      0010 02'h' 01 01 01 01 80000000 00
      00`,
    expected: {
      throttleTimeMs: 7,
      groups: [
        { group: 'g', errorCode: 0, state: 'Stable', members: 1 },
        { group: 'h', errorCode: 16, state: '', members: 0 },
      ],
    },
  },
  {
    name: 'ConsumerGroupDescribe v0',
    request: describeConsumerGroups({ groups: ['g', 'h'] }),
    body: `${throttle} 03
      0000 00 02'g' 07'Stable' 00000003 00000003 08'uniform' 02
        03'm1' 00 00 00000003 02'c' 03'/1' 02 02'a' 00
        02 0102030405060708090a0b0c0d0e0f10 02'a' 03 00000000 00000001 00 00
        01 00
        00
        80000000 00
      0045 03'no' 02'h' 01 00000000 00000000 01 01 80000000 00
      00`,
    expected: {
      throttleTimeMs: 7,
      groups: [
        { group: 'g', errorCode: 0, state: 'Stable', members: 1 },
        { group: 'h', errorCode: 69, state: '', members: 0 },
      ],
    },
  },
  {
    name: 'Fetch v11',
    request: fetch({
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1,
      partitionMaxBytes: 1,
      isolationLevel: 'readCommitted',
      sessionId: 0,
      sessionEpoch: 0,
      topics: new Map(),
      forgotten: none,
    }),
    body: `${throttle} 0000 0000002a 00000002
      0001'a' 00000002
        00000000 0000 0000000000000009 0000000000000008 0000000000000001 00000001 0000000000000001 0000000000000002 ffffffff 00000005'batch'
        00000001 001d ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffff ffffffff ffffffff
      0001'b' 00000001
        00000003 0000 0000000000000004 0000000000000004 0000000000000000 00000000 ffffffff 00000000`,
    expected: {
      throttleTimeMs: 7,
      errorCode: 0,
      sessionId: 42,
      partitions: [
        {
          topic: 'a',
          partition: 0,
          errorCode: 0,
          highWatermark: 9,
          lastStableOffset: 8,
          logStartOffset: 1,
          recordBytes: 5,
        },
        {
          topic: 'a',
          partition: 1,
          errorCode: 29,
          highWatermark: -1,
          lastStableOffset: -1,
          logStartOffset: -1,
          recordBytes: 0,
        },
        {
          topic: 'b',
          partition: 3,
          errorCode: 0,
          highWatermark: 4,
          lastStableOffset: 4,
          logStartOffset: 0,
          recordBytes: 0,
        },
      ],
    },
  },
];

function older(name: string, version: number, change: (body: string) => string): Golden {
  const found = newest.find((golden) => golden.name.startsWith(`${name} v`) && golden.version === undefined);
  if (found === undefined) throw new Error(`no golden of ${name}`);
  return { ...found, name: `${name} v${version}`, version, body: change(found.body) };
}

export const goldens: readonly Golden[] = [
  ...newest,
  // Without offline replicas.
  older('Metadata', 4, (body) =>
    body
      .replace('00000002 00000001 00000002 00000000\n', '00000002 00000001 00000002\n')
      .replace('00000000 00000000 00000001 00000002\n', '00000000 00000000\n'),
  ),
  older('Metadata', 5, (body) => body),
  older('ListOffsets', 2, (body) => body),
  // Without a nearer replica.
  ...[7, 8, 9, 10].map((version) =>
    older('Fetch', version, (body) =>
      body
        .replace("0000000000000002 ffffffff 00000005'batch'", "0000000000000002 00000005'batch'")
        .replace('ffffffff ffffffff ffffffff\n', 'ffffffff ffffffff\n')
        .replace('00000000 ffffffff 00000000', '00000000 00000000'),
    ),
  ),
];
