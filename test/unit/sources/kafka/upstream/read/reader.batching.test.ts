import { describe, expect, it } from 'vitest';
import type { KafkaNeed } from '../../../../../../src/sources/kafka/rules/snapshot.ts';
import { ModelKafka } from '../../../../../support/kafka/model-kafka.ts';
import { ModelReading, showResult } from '../../../../../support/kafka/model-reading.ts';

/** A hundred groups over two brokers, each with a topic of its own on both. */
function hundred(): { model: ModelKafka; needs: Partial<KafkaNeed>[] } {
  const model = new ModelKafka(2);
  const needs = Array.from({ length: 100 }, (_, i) => {
    model.create(`t${i}`, { partitions: 4, leaders: [0, 1], end: 10 });
    model.commit(`g${i}`, `t${i}`, 3, { coordinator: i % 2 });
    return { consumerGroup: `g${i}`, topics: [`t${i}`] };
  });
  return { model, needs };
}

function requestCounts(model: ModelKafka): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { apiName, address } of model.asked) {
    counts[`${apiName} ${address}`] = (counts[`${apiName} ${address}`] ?? 0) + 1;
  }
  return counts;
}

const onceEach = {
  'OffsetFetch b0:9092': 1,
  'OffsetFetch b1:9092': 1,
  'ListOffsets b0:9092': 1,
  'ListOffsets b1:9092': 1,
};

describe('reading many subjects', () => {
  it('costs each broker one OffsetFetch and one ListOffsets', async () => {
    const { model, needs } = hundred();
    const reading = new ModelReading(model);
    await reading.read(needs);
    model.forgetAsked();

    const results = await reading.read(needs);

    expect(requestCounts(model)).toEqual(onceEach);
    expect(showResult(results[7])).toEqual({ t7: '0: 0..10@3, 1: 0..10@-, 2: 0..10@-, 3: 0..10@-' });
  });

  it('of thousands is done in parts of a thousand, each in a turn of the event loop', async () => {
    const model = new ModelKafka(1);
    const needs = Array.from({ length: 2500 }, (_, i) => {
      model.create(`t${i}`, { end: 10 });
      return { consumerGroup: `g${i}`, topics: [`t${i}`] };
    });
    const delivered: number[] = [0];
    const turn = (): void => {
      delivered.push(0);
      immediate = setImmediate(turn);
    };
    let immediate = setImmediate(turn);
    await new ModelReading(model).read(needs, { onResult: () => delivered.push((delivered.pop() ?? 0) + 1) });
    clearImmediate(immediate);
    expect(delivered.reduce((sum, each) => sum + each)).toBe(2500);
    expect(Math.max(...delivered)).toBeLessThanOrEqual(1000);
    expect(model.count('OffsetFetch')).toBe(3);
    expect(Math.max(...model.asked.map(({ names }) => names.length))).toBe(1000);
  });

  it('is one request for each broker for a thousand topics of twenty partitions, and two for more', async () => {
    const model = new ModelKafka(1);
    const needs = Array.from({ length: 1000 }, (_, i) => {
      model.create(`t${i}`, { partitions: 20 });
      return { consumerGroup: `g${i}`, topics: [`t${i}`] };
    });
    const reading = new ModelReading(model);
    await reading.read(needs);
    model.forgetAsked();
    await reading.read(needs);
    expect(requestCounts(model)).toEqual({ 'OffsetFetch b0:9092': 1, 'ListOffsets b0:9092': 1 });
    model.create('t0', { partitions: 21 });
    reading.nowMs += 30_000;
    await reading.read(needs);
    model.forgetAsked();
    await reading.read(needs);
    expect(requestCounts(model)).toEqual({ 'OffsetFetch b0:9092': 2, 'ListOffsets b0:9092': 2 });
  });

  it('costs the first time also one Metadata, one FindCoordinator and one ListOffsets of log starts', async () => {
    const { model, needs } = hundred();
    await new ModelReading(model).read(needs);

    expect(model.count('Metadata')).toBe(1);
    expect(model.count('FindCoordinator')).toBe(1);
    expect(model.count('OffsetFetch')).toBe(2);
    expect(model.count('ListOffsets')).toBe(4);
    expect([...model.dialed].sort()).toEqual(['b0:9092', 'b1:9092']);
  });

  it('reads metadata and log starts again once a reconcile, together', async () => {
    const { model, needs } = hundred();
    const reading = new ModelReading(model);
    await reading.read(needs.slice(0, 50));
    reading.nowMs += 10_000;
    await reading.read(needs);
    reading.nowMs += 20_000;
    model.forgetAsked();

    await reading.read(needs);
    expect(model.count('Metadata')).toBe(1);
    expect(model.count('ListOffsets')).toBe(4);

    model.forgetAsked();
    reading.nowMs += 28_000;
    await reading.read(needs);
    expect(requestCounts(model)).toEqual(onceEach);
  });

  it('requests a partition once, however many subjects have it', async () => {
    const { model } = hundred();
    const needs = Array.from({ length: 50 }, (_, i) => ({ consumerGroup: `g${i}`, topics: ['t0'] }));
    await new ModelReading(model).read(needs);
    const named = model.asked.filter(({ apiName }) => apiName === 'ListOffsets').map(({ names }) => names);
    expect(named).toEqual([['t0'], ['t0'], ['t0'], ['t0']]);
  });

  it('requests ends of both isolation levels, each in its own request', async () => {
    const model = new ModelKafka(1);
    model.create('t', { end: 10 });
    model.partition('t').lastStableOffset = 6;
    const reading = new ModelReading(model);
    const results = await reading.read([
      { topics: ['t'] },
      { topics: ['t'], isolationLevel: 'readCommitted' },
    ]);
    expect(results.map(showResult)).toEqual([{ t: '0: 0..10@-' }, { t: '0: 0..6@-' }]);
  });

  it('shares dials and requests between reads that start together', async () => {
    const { model, needs } = hundred();
    const reading = new ModelReading(model);
    await Promise.all([reading.read(needs.slice(0, 50)), reading.read(needs.slice(50))]);
    expect([...model.dialed].sort()).toEqual(['b0:9092', 'b1:9092']);
    expect(model.count('OffsetFetch')).toBe(2);
  });

  it('asks brokers before Kafka 3.0 group by group', async () => {
    const { model, needs } = hundred();
    model.newestVersions.set(9, 7).set(10, 3);
    const results = await new ModelReading(model).read(needs.slice(0, 6));
    expect(model.count('FindCoordinator')).toBe(6);
    expect(model.count('OffsetFetch')).toBe(6);
    expect(showResult(results[5])).toEqual({ t5: '0: 0..10@3, 1: 0..10@-, 2: 0..10@-, 3: 0..10@-' });
  });
});
