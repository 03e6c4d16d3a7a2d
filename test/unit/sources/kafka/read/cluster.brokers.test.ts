import { describe, expect, it } from 'vitest';
import { ModelKafka } from '../../../../support/kafka/model-kafka.ts';
import { ModelReading, show, showResult } from '../../../../support/kafka/model-reading.ts';

function cluster(brokers = 3): { model: ModelKafka; reading: ModelReading } {
  const model = new ModelKafka(brokers);
  model.create('t', { partitions: brokers, leaders: model.addresses.map((_, node) => node), end: 4 });
  return { model, reading: new ModelReading(model) };
}

const need = { topics: ['t'] };

describe('bootstrap', () => {
  it('goes on to the next server until one answers', async () => {
    const { model, reading } = cluster();
    model.refusing.add('b1:9092');
    model.refusing.add('b0:9092');
    model.commit('workers', 't', 0, { coordinator: 2 });
    const topics = await reading.topics(need);
    expect(show(topics)).toEqual({ t: '2: 0..4@-, 0: unavailable, 1: unavailable' });
  });

  it('that nobody answers says so once, with the connection and every server’s reason', async () => {
    const { model, reading } = cluster(2);
    for (const address of model.addresses) model.refusing.add(address);
    const [result] = await reading.read([{ consumerGroup: 'x' }]);
    expect(showResult(result)).toBe(
      'unavailable: kafka connection "orders": no broker answers: ' +
        'broker b0:9092 refuses the connection; broker b1:9092 refuses the connection',
    );
  });

  it('that fails for many at once is one attempt a server', async () => {
    const { model, reading } = cluster(2);
    for (const address of model.addresses) model.refusing.add(address);
    await reading.read(Array.from({ length: 50 }, (_, i) => ({ consumerGroup: `g${i}`, topics: [`t${i}`] })));
    expect([...model.dialed].sort()).toEqual(['b0:9092', 'b1:9092']);
  });

  it('falls back on brokers that were seen when no bootstrap server is left', async () => {
    const { model } = cluster();
    const reading = new ModelReading(model, { bootstrapServers: ['b0:9092'] });
    await reading.topics(need);
    model.refusing.add('b0:9092');
    model.cut('b0:9092');
    model.create('fresh', { leaders: [1], end: 1 });
    model.commit('other', 'fresh', 1, { coordinator: 2 });
    expect(show(await reading.topics({ consumerGroup: 'other', topics: ['fresh'] }))).toEqual({
      fresh: '0: 0..1@1',
    });
  });
});

describe('wires', () => {
  it('are one a broker, and dialed again when they broke', async () => {
    const { model, reading } = cluster(2);
    await reading.topics(need);
    await reading.topics(need);
    expect(model.dialed).toHaveLength(2);
    model.cut('b1:9092');
    expect(show(await reading.topics(need))).toEqual({ t: '0: 0..4@-, 1: 0..4@-' });
    expect(model.dialed).toHaveLength(3);
  });

  it('are all gone after close, those that were being dialed too', async () => {
    const { model, reading } = cluster();
    await reading.topics(need);
    model.cut('b2:9092');
    const under = reading.read([need]);
    await new Promise((resolve) => setImmediate(resolve));
    await reading.cluster.close();
    await under;
    expect(model.wires.size).toBe(0);
    expect(showResult((await reading.read([{ consumerGroup: 'x' }]))[0])).toContain('closed');
  });
});

describe('the layout of topics', () => {
  it('is given as it was while a broker that should renew it hangs', async () => {
    const { model } = cluster(2);
    model.create('t', { leaders: [1], end: 4 });
    model.commit('workers', 't', 1, { coordinator: 1 });
    const reading = new ModelReading(model, { bootstrapServers: ['b0:9092'] });
    await reading.topics(need);
    model.hanging.add('b0:9092');
    reading.nowMs += 30_000;
    expect(show(await reading.topics(need))).toEqual({ t: '0: 0..4@1' });
    await reading.cluster.close();
  });

  it('says where a leader is, until it is forgotten', async () => {
    const { reading } = cluster(2);
    const { topology } = reading.cluster;
    expect(topology.locate('t', 1)).toBeUndefined();
    await reading.topics(need);
    expect(topology.locate('t', 1)).toBe('b1:9092');
    topology.forget('t');
    expect(topology.locate('t', 1)).toBeUndefined();
  });

  it('is dropped when nobody has asked for five minutes', async () => {
    const { model, reading } = cluster(2);
    model.create('other');
    await reading.topics(need);
    reading.nowMs += 301_000;
    await reading.topics({ topics: ['other'] });
    expect(reading.cluster.topology.locate('t', 1)).toBeUndefined();
  });
});
