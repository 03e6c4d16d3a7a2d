import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../../src/errors.ts';
import { errorCodes } from '../../../../../../src/sources/kafka/upstream/protocol/error-codes.ts';
import { ModelKafka } from '../../../../../support/kafka/model-kafka.ts';
import { ModelReading, show, showResult } from '../../../../../support/kafka/model-reading.ts';

const [b0, b1] = ['b0:9092', 'b1:9092'];

function pair(): { model: ModelKafka; reading: ModelReading } {
  const model = new ModelKafka(2);
  model.create('a', { leaders: [0], end: 10 });
  model.create('b', { leaders: [1], end: 20 });
  model.commit('ga', 'a', 1, { coordinator: 0 });
  model.commit('gb', 'b', 2, { coordinator: 1 });
  return { model, reading: new ModelReading(model, { bootstrapServers: [b0] }) };
}

const a = { consumerGroup: 'ga', topics: ['a'] };
const b = { consumerGroup: 'gb', topics: ['b'] };

describe('a topic that cannot be read', () => {
  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', 'not_found'],
    ['TOPIC_AUTHORIZATION_FAILED', 'unavailable'],
    ['INVALID_TOPIC_EXCEPTION', 'invalid'],
    ['LEADER_NOT_AVAILABLE', 'unavailable'],
  ] as const)('because of %s fails alone, as %s', async (name, code) => {
    const { model, reading } = pair();
    model.topicErrors.set('bad', errorCodes[name]);
    const results = await reading.read([{ ...a, topics: ['a', 'bad'] }, b]);
    expect(results.map(showResult)).toEqual([{ a: '0: 0..10@1', bad: code }, { b: '0: 0..20@2' }]);
  });

  it('delays no other subject’s requests', async () => {
    const { model, reading } = pair();
    const needs = [{ ...a, topics: ['a', 'bad'] }, b];
    await reading.read(needs);
    reading.nowMs += 1001;
    model.forgetAsked();
    await reading.read(needs);
    expect(model.count('ListOffsets')).toBe(2);
    expect(model.count('OffsetFetch')).toBe(2);
    expect(model.asked.filter(({ apiName }) => apiName === 'Metadata').map(({ names }) => names)).toEqual([
      ['bad'],
    ]);
  });

  it('leaves the other partitions readable', async () => {
    const { model, reading } = pair();
    model.create('a', { partitions: 3, end: 5 });
    model.partitionErrors.set('a/1', errorCodes.TOPIC_AUTHORIZATION_FAILED);
    model.partition('a', 2).leader = -1;
    expect(show(await reading.topics(a))).toEqual({ a: '0: 0..5@1, 1: unavailable, 2: unavailable' });
  });
});

describe('a leader that has moved', () => {
  it('is followed within the read', async () => {
    const { model, reading } = pair();
    await reading.read([a, b]);
    model.partition('a').leader = 1;
    model.partition('a').highWatermark = 11;
    model.forgetAsked();
    expect(show(await reading.topics(a))).toEqual({ a: '0: 0..11@1' });
    expect(
      model.asked.filter(({ apiName }) => apiName === 'ListOffsets').map(({ address }) => address),
    ).toEqual([b0, b1]);
  });

  it('is followed once in a read, then the partition has a fault', async () => {
    const { model, reading } = pair();
    model.partitionErrors.set('a/0', errorCodes.NOT_LEADER_OR_FOLLOWER);
    expect(show(await reading.topics(a))).toEqual({ a: '0: unavailable' });
    expect(model.count('ListOffsets')).toBe(2);
    model.partitionErrors.clear();
    expect(show(await reading.topics(a))).toEqual({ a: '0: 0..10@1' });
  });

  it('with a deleted topic is reported as missing', async () => {
    const { model, reading } = pair();
    await reading.read([a, b]);
    model.topics.delete('a');
    expect(show(await reading.topics(a))).toEqual({ a: 'not_found' });
  });

  it('because its broker died is found by the next read', async () => {
    const { model, reading } = pair();
    await reading.read([a, b]);
    model.refusing.add(b1);
    model.cut(b1);
    expect(showResult((await reading.read([{ ...b, consumerGroup: 'ga' }]))[0])).toEqual({
      b: '0: unavailable',
    });
    model.partition('b').leader = 0;
    expect(show(await reading.topics({ ...b, consumerGroup: 'ga' }))).toEqual({ b: '0: 0..20@-' });
  });
});

describe('a coordinator', () => {
  it('that has moved is followed within the read', async () => {
    const { model, reading } = pair();
    await reading.read([a, b]);
    model.commit('ga', 'a', 7);
    const group = model.groups.get('ga');
    if (group) group.coordinator = 1;
    expect(show(await reading.topics(a))).toEqual({ a: '0: 0..10@7' });
  });

  it.each(['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'that says %s fails its subjects alone, and is looked for again',
    async (name) => {
      const { model, reading } = pair();
      await reading.read([a, b]);
      model.groupErrors.set('ga', errorCodes[name]);
      const results = await reading.read([a, b]);
      expect(showResult(results[0])).toBe(`unavailable: group "ga": Kafka says ${name}`);
      expect(showResult(results[1])).toEqual({ b: '0: 0..20@2' });
      model.groupErrors.clear();
      model.forgetAsked();
      expect(show(await reading.topics(a))).toEqual({ a: '0: 0..10@1' });
      expect(model.count('FindCoordinator')).toBe(1);
    },
  );

  it('that refuses the group fails only its subjects, and says what to grant', async () => {
    const { model, reading } = pair();
    model.groupErrors.set('ga', errorCodes.GROUP_AUTHORIZATION_FAILED);
    const results = await reading.read([a, b]);
    expect(showResult(results[0])).toContain('"ga"');
    expect(showResult(results[0])).toContain('DESCRIBE');
    expect(showResult(results[1])).toEqual({ b: '0: 0..20@2' });
  });

  it('that does not know the group means that it has no commits', async () => {
    const { model, reading } = pair();
    await reading.read([a]);
    model.groupErrors.set('ga', errorCodes.GROUP_ID_NOT_FOUND);
    expect(show(await reading.topics(a))).toEqual({ a: '0: 0..10@-' });
  });
});

describe('a broker that hangs', () => {
  it('delays only the subjects that need it, and each is delivered once when the read is given up', async () => {
    const { model, reading } = pair();
    await reading.read([a, b]);
    model.hanging.add(b1);
    const abort = new AbortController();
    const delivered: string[] = [];
    const results = await reading.read([a, b, { ...a, topics: ['a', 'b'] }], {
      signal: abort.signal,
      onResult: (key, result) => {
        delivered.push(`${key} ${result instanceof ScalerError ? result.code : 'ok'}`);
        // Only now. Without the first delivery the test would time out.
        if (key === '0') abort.abort();
      },
    });
    expect(delivered).toEqual(['0 ok', '1 unavailable', '2 unavailable']);
    expect(results).toHaveLength(3);
    await reading.cluster.close();
  });

  it('as the first bootstrap server is passed over', async () => {
    const { model } = pair();
    model.hanging.add(b0);
    model.groups.set('ga', { coordinator: 1, commits: new Map() });
    const reading = new ModelReading(model, { bootstrapServers: [b0, b1] });
    expect(show(await reading.topics({ ...b, consumerGroup: 'ga' }))).toEqual({ b: '0: 0..20@-' });
    await reading.cluster.close();
  });

  it('fails only its partitions, when its time is up', async () => {
    const { model } = pair();
    model.create('a', { partitions: 2, leaders: [0, 1], end: 10 });
    const reading = new ModelReading(model, { requestTimeoutMs: 50 });
    await reading.read([a]);
    model.hanging.add(b1);
    expect(show(await reading.topics(a))).toEqual({ a: '0: 0..10@1, 1: unavailable' });
  });
});

describe('a read that is given up', () => {
  it('before it starts still delivers every subject', async () => {
    const { reading } = pair();
    const results = await reading.read([a, b], { signal: AbortSignal.abort() });
    expect(results.every((result) => result instanceof ScalerError)).toBe(true);
    await reading.cluster.close();
  });
});
