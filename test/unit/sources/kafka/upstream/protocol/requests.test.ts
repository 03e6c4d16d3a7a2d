import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import {
  apiVersions,
  highestCommon,
  type KafkaAnswer,
  type KafkaRequest,
} from '../../../../../../src/sources/kafka/upstream/protocol/api.ts';
import {
  describeConsumerGroups,
  describeGroups,
} from '../../../../../../src/sources/kafka/upstream/protocol/describe-groups.ts';
import { fetch, fetchApi } from '../../../../../../src/sources/kafka/upstream/protocol/fetch.ts';
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
import { bytes, written } from './hex.ts';

/** kafkajs's own request of the same version, written independently. */
interface KafkaJsRequest {
  apiKey: number;
  apiVersion: number;
  encode(): Promise<{ buffer: Buffer }>;
}
type KafkaJsBuilder = (options: object) => KafkaJsRequest;

const require = createRequire(import.meta.url);
const kafkaJs =
  (folder: string, options: object) =>
  (version: number): KafkaJsRequest => {
    const build: KafkaJsBuilder = require(`kafkajs/src/protocol/requests/${folder}/v${version}/request`);
    return build(options);
  };

const fetchOptions = {
  maxWaitMs: 10_000,
  minBytes: 1,
  maxBytes: 1,
  partitionMaxBytes: 1,
  isolationLevel: 'readUncommitted',
  sessionId: 77,
  sessionEpoch: 3,
} as const;

describe('requests equal kafkajs’s, byte for byte', () => {
  const cases: [string, KafkaRequest<KafkaAnswer>, (version: number) => KafkaJsRequest][] = [
    ['ApiVersions', apiVersions(), kafkaJs('apiVersions', {})],
    [
      'Metadata',
      metadata({ topics: ['orders', 'größe'] }),
      kafkaJs('metadata', { topics: ['orders', 'größe'], allowAutoTopicCreation: false }),
    ],
    [
      'Metadata of all topics',
      metadata({ topics: 'all' }),
      kafkaJs('metadata', { topics: [], allowAutoTopicCreation: false }),
    ],
    [
      'ListOffsets of the end',
      listOffsets({
        topics: new Map([
          ['a', [0, 2]],
          ['b', [1]],
        ]),
        timestamp: 'end',
        isolationLevel: 'readUncommitted',
      }),
      kafkaJs('listOffsets', {
        replicaId: -1,
        isolationLevel: 0,
        topics: [
          {
            topic: 'a',
            partitions: [
              { partition: 0, timestamp: -1 },
              { partition: 2, timestamp: -1 },
            ],
          },
          { topic: 'b', partitions: [{ partition: 1, timestamp: -1 }] },
        ],
      }),
    ],
    [
      'ListOffsets of the log start, committed',
      listOffsets({ topics: new Map([['a', [0]]]), timestamp: 'logStart', isolationLevel: 'readCommitted' }),
      kafkaJs('listOffsets', {
        replicaId: -1,
        isolationLevel: 1,
        topics: [{ topic: 'a', partitions: [{ partition: 0, timestamp: -2 }] }],
      }),
    ],
    [
      'OffsetFetch of one group',
      offsetFetchSingle({ group: 'g', topics: new Map([['a', [0, 5]]]) }),
      kafkaJs('offsetFetch', {
        groupId: 'g',
        topics: [{ topic: 'a', partitions: [{ partition: 0 }, { partition: 5 }] }],
      }),
    ],
    [
      'OffsetFetch of one group, all topics',
      offsetFetchSingle({ group: 'g', topics: 'all' }),
      kafkaJs('offsetFetch', { groupId: 'g', topics: [] }),
    ],
    [
      'FindCoordinator',
      findCoordinator({ group: 'g' }),
      kafkaJs('findCoordinator', { coordinatorKey: 'g', coordinatorType: 0 }),
    ],
    [
      'DescribeGroups',
      describeGroups({ groups: ['g', 'größe'] }),
      kafkaJs('describeGroups', { groupIds: ['g', 'größe'] }),
    ],
    [
      'Fetch in a session',
      fetch({
        ...fetchOptions,
        topics: new Map([['a', [{ partition: 1, fetchOffset: 2 ** 40 }]]]),
        forgotten: new Map([['b', [3, 4]]]),
      }),
      kafkaJs('fetch', {
        replicaId: -1,
        maxWaitTime: 10_000,
        minBytes: 1,
        maxBytes: 1,
        isolationLevel: 0,
        sessionId: 77,
        sessionEpoch: 3,
        topics: [{ topic: 'a', partitions: [{ partition: 1, fetchOffset: String(2 ** 40), maxBytes: 1 }] }],
        forgottenTopics: [{ topic: 'b', partitions: [3, 4] }],
      }),
    ],
  ];

  it.each(
    cases.flatMap(([name, ours, theirs]) =>
      ours.versions
        .filter((version) => !ours.at(version).flexible)
        .map((version) => ({ name, version, ours, theirs })),
    ),
  )('$name, v$version', async ({ version, ours, theirs }) => {
    const kafkaJsOwn = theirs(version);
    expect(ours.at(version)).toMatchObject({
      apiKey: kafkaJsOwn.apiKey,
      apiVersion: version,
      flexible: false,
    });
    expect(written(ours, version)).toBe((await kafkaJsOwn.encode()).buffer.toString('hex'));
  });
});

describe('requests that kafkajs does not know', () => {
  it('OffsetFetch v8 names many groups (KIP-709)', () => {
    const request = offsetFetch({
      groups: [
        { group: 'g', topics: new Map([['ab', [0, 1]]]) },
        { group: 'hh', topics: 'all' },
      ],
    });
    const golden = "03 02'g' 02 03'ab' 03 00000000 00000001 00 00 03'hh' 00 00 00 00";
    expect(written(request)).toBe(bytes(golden).toString('hex'));
    expect(request.at(8)).toMatchObject({ apiKey: 9, apiVersion: 8, flexible: true });
  });

  it('FindCoordinator v4 names many groups (KIP-699)', () => {
    const request = findCoordinators({ groups: ['g', 'hh'] });
    expect(written(request)).toBe(bytes("00 03 02'g' 03'hh' 00").toString('hex'));
    expect(request.at(4)).toMatchObject({ apiKey: 10, apiVersion: 4, flexible: true });
  });

  it('DescribeGroups v5 and ConsumerGroupDescribe v0 (KIP-848) name many groups', () => {
    const body = bytes("03 02'g' 03'hh' 00 00").toString('hex');
    const request = describeGroups({ groups: ['g', 'hh'] });
    expect(written(request)).toBe(body);
    expect(request.at(5)).toMatchObject({ apiKey: 15, apiVersion: 5, flexible: true });
    const newer = describeConsumerGroups({ groups: ['g', 'hh'] });
    expect(written(newer)).toBe(body);
    expect(newer.at(0)).toMatchObject({ apiKey: 69, apiVersion: 0, flexible: true });
  });

  it('Metadata of no topic requests none, not all', () => {
    expect(written(metadata({ topics: [] }))).toBe(bytes('00000000 00').toString('hex'));
  });
});

describe('the version of a request', () => {
  it.each([
    [{ min: 0, max: 99 }, 11],
    [{ min: 4, max: 10 }, 10],
    [{ min: 4, max: 7 }, 7],
    [{ min: 4, max: 6 }, undefined],
    [{ min: 12, max: 18 }, undefined],
    [undefined, undefined],
  ])('is the highest that a broker of %o supports as well', (range, version) => {
    expect(highestCommon(fetchApi, range)).toBe(version);
  });
});
