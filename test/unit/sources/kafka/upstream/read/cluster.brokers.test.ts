import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ModelKafka } from '../../../../../support/kafka/model-kafka.ts';
import { ModelReading, show, showResult } from '../../../../../support/kafka/model-reading.ts';

function cluster(brokers = 3): { model: ModelKafka; reading: ModelReading } {
  const model = new ModelKafka(brokers);
  model.create('t', { partitions: brokers, leaders: model.addresses.map((_, node) => node), end: 4 });
  return { model, reading: new ModelReading(model) };
}

const need = { topics: ['t'] };

describe('bootstrap', () => {
  it('tries the next server until one answers', async () => {
    const { model, reading } = cluster();
    model.refusing.add('b1:9092');
    model.refusing.add('b0:9092');
    model.commit('workers', 't', 0, { coordinator: 2 });
    const topics = await reading.topics(need);
    expect(show(topics)).toEqual({ t: '2: 0..4@-, 0: unavailable, 1: unavailable' });
  });

  it('without any answer is logged once, with the connection and every server’s reason', async () => {
    const { model, reading } = cluster(2);
    for (const address of model.addresses) model.refusing.add(address);
    const [result] = await reading.read([{ consumerGroup: 'x' }]);
    expect(showResult(result)).toBe(
      'unavailable: kafka connection "orders": no broker answers: ' +
        'broker b0:9092 refuses the connection; broker b1:9092 refuses the connection',
    );
  });

  it('that fails for many at once tries each server once', async () => {
    const { model, reading } = cluster(2);
    for (const address of model.addresses) model.refusing.add(address);
    await reading.read(Array.from({ length: 50 }, (_, i) => ({ consumerGroup: `g${i}`, topics: [`t${i}`] })));
    expect([...model.dialed].sort()).toEqual(['b0:9092', 'b1:9092']);
  });

  it('falls back on known brokers when no bootstrap server is left', async () => {
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
  it('are one for each broker, and dialed again after a break', async () => {
    const { model, reading } = cluster(2);
    await reading.topics(need);
    await reading.topics(need);
    expect(model.dialed).toHaveLength(2);
    model.cut('b1:9092');
    expect(show(await reading.topics(need))).toEqual({ t: '0: 0..4@-, 1: 0..4@-' });
    expect(model.dialed).toHaveLength(3);
  });

  it('are all gone after close, even those still being dialed', async () => {
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

describe('a wire that died silently', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** A reader with open wires, and its reports of dead ones. */
  async function used(requestTimeoutMs = 10_000) {
    const { model } = cluster(1);
    const silent: string[] = [];
    const onSilent = (address: string) => silent.push(address);
    const reading = new ModelReading(model, { onSilent, requestTimeoutMs });
    await reading.topics(need);
    return { model, reading, silent };
  }

  /** Lets this much time pass. */
  async function pass(ms: number): Promise<void> {
    for (let step = 0; step < ms; step += 100) {
      await vi.advanceTimersByTimeAsync(100);
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('is replaced after a second, and the read gets its answer over the new one', async () => {
    const { model, reading, silent } = await used();
    model.freeze('b0:9092');
    const read = reading.topics(need);
    await pass(900);
    expect(model.dialed).toHaveLength(1);
    await pass(300);
    expect(show(await read)).toEqual({ t: '0: 0..4@-' });
    expect(model.dialed).toHaveLength(2);
    expect(silent).toContain('b0:9092');
    // The dead one goes once its requests have waited long enough.
    await pass(10_000);
    expect(model.wires.size).toBe(1);
    await reading.topics(need);
    expect(model.dialed).toHaveLength(2);
    await reading.cluster.close();
  });

  it('is not used again once another connection to its broker was found dead', async () => {
    const { model, reading } = await used();
    model.freeze('b0:9092');
    reading.cluster.suspect('b0:9092');
    expect(show(await reading.topics(need))).toEqual({ t: '0: 0..4@-' });
    expect([model.dialed.length, model.wires.size]).toEqual([2, 1]);
    await reading.cluster.close();
  });

  it('is not confused with a hanging broker, which is dialled only once for each read', async () => {
    const { model, reading, silent } = await used(4000);
    model.hanging.add('b0:9092');
    const reads = Promise.all([reading.read([need]), reading.read([{ topics: ['t'], consumerGroup: 'x' }])]);
    await pass(9000);
    expect((await reads).flat().map((result) => showResult(result))).toEqual([
      expect.stringContaining('unavailable'),
      expect.stringContaining('unavailable'),
    ]);
    expect(model.dialed.length).toBeLessThanOrEqual(3);
    expect(silent).toEqual([]);
    await reading.cluster.close();
    expect(model.wires.size).toBe(0);
  });

  it('is not confused with a slow broker, which gets more time at the next read', async () => {
    const { model, reading } = await used();
    const slowly = async (ms: number) => {
      model.slowMs = ms;
      let shown: unknown;
      void reading.topics(need).then((topics) => {
        shown = show(topics);
      });
      for (let tenth = 0; shown === undefined && tenth < 100; tenth += 1) await pass(100);
      expect(shown).toEqual({ t: '0: 0..4@-' });
    };
    await slowly(1500);
    const dialed = model.dialed.length;
    expect(dialed).toBeGreaterThan(1);
    await slowly(1500);
    expect(model.dialed).toHaveLength(dialed);
    await slowly(0);
    await slowly(1500);
    expect(model.dialed.length).toBeGreaterThan(dialed);
    await reading.cluster.close();
  });
});

describe('the layout of topics', () => {
  it('is used as it was while a broker that should renew it hangs', async () => {
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

  it('is dropped after five minutes without a request', async () => {
    const { model, reading } = cluster(2);
    model.create('other');
    await reading.topics(need);
    reading.nowMs += 301_000;
    await reading.topics({ topics: ['other'] });
    expect(reading.cluster.topology.locate('t', 1)).toBeUndefined();
  });
});
