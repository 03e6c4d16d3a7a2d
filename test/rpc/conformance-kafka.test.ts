import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { kafkaConfig } from '../../src/sources/kafka/config.ts';
import { kafka } from '../../src/sources/kafka/index.ts';
import { KafkaConnection } from '../../src/sources/kafka/upstream/connection.ts';
import { ModelKafka } from '../support/kafka/model-kafka.ts';
import { connectionOf } from '../support/live-triggers.ts';
import { ref } from '../support/rpc-client.ts';
import { startScaler } from '../support/scaler.ts';

/** The whole way from the RPC to the bytes of a cluster with ten partitions of `orders`. */
async function startKafkaScaler() {
  const model = new ModelKafka(1);
  const config = kafkaConfig.parse({ bootstrapServers: [...model.addresses] });
  const source: typeof kafka = {
    ...kafka,
    connect: (settings, deps) => new KafkaConnection(settings, deps, model),
  };
  model.create('orders', { partitions: 10, end: 100, logStart: 40 });
  const scaler = await startScaler({ connections: [connectionOf('shop', source, config)] });
  let asked = 0;
  const number = async (metadata: Record<string, string>) => {
    asked += 1;
    const trigger = ref(`w${asked}`, {
      source: 'kafka',
      consumerGroup: 'workers',
      topic: 'orders',
      ...metadata,
    });
    const { metricValues } = await scaler.client.getMetrics(trigger, '');
    const { result } = await scaler.client.isActive(trigger);
    return [metricValues[0]?.metricValueFloat, result];
  };
  /** A lag of this many records, on the first partition only or spread over all. */
  const lag = (records: number, partitions = 1) => {
    for (let partition = 0; partition < 10; partition += 1) {
      const own = partition < partitions ? records / partitions : 0;
      model.partition('orders', partition).highWatermark = 100 + own;
      model.commit('workers', 'orders', 100, { partition });
    }
  };
  return { ...scaler, model, number, lag };
}

describe('conformance: kafka semantics', () => {
  it('37 -1/latest is 1 a partition, with scaleToZeroOnInvalidOffset 0', async () => {
    const { number } = await startKafkaScaler();
    expect(await number({})).toEqual([10, true]);
    expect(await number({ scaleToZeroOnInvalidOffset: 'true' })).toEqual([0, false]);
  });

  it('37 -1/earliest is end - start', async () => {
    const { number } = await startKafkaScaler();
    expect(await number({ offsetResetPolicy: 'earliest', lagThreshold: '100' })).toEqual([600, true]);
    expect(await number({ offsetResetPolicy: 'earliest', scaleToZeroOnInvalidOffset: 'true' })).toEqual([
      0,
      false,
    ]);
  });

  it('37 the cap is partitions × threshold, lifted by allowIdleConsumers', async () => {
    const { number, lag } = await startKafkaScaler();
    lag(105);
    expect(await number({})).toEqual([100, true]);
    expect(await number({ allowIdleConsumers: 'true' })).toEqual([105, true]);
  });

  it('37 limitToPartitionsWithLag caps at the partitions that lag', async () => {
    const { number, lag } = await startKafkaScaler();
    lag(90, 3);
    expect(await number({ limitToPartitionsWithLag: 'true' })).toEqual([30, true]);
  });

  it.each([
    [0, 0],
    [1, 1],
    [10, 1],
    [11, 2],
    [20, 2],
    [21, 5],
    [50, 5],
    [51, 10],
    [1000, 10],
  ])('37 ensureEven table: a lag of %d makes %d replicas of 10 partitions', async (records, replicas) => {
    const { number, lag } = await startKafkaScaler();
    lag(records);
    expect(await number({ ensureEvenDistributionOfPartitions: 'true' })).toEqual([
      replicas * 10,
      replicas > 0,
    ]);
  });

  it('37 partitionLimitation ranges', async () => {
    const { number, lag } = await startKafkaScaler();
    lag(100, 10);
    expect(await number({ partitionLimitation: '0,3-5' })).toEqual([40, true]);
  });

  it('37 empty topic is what the group has committed: where nothing is seen it is unknown, never every topic', async () => {
    const { number, lag, model } = await startKafkaScaler();
    const unseen = { code: Code.UNAVAILABLE, details: expect.stringContaining('no committed offset') };
    await expect(number({ topic: '' })).rejects.toMatchObject(unseen);
    lag(30);
    model.create('unrelated', { end: 1000 });
    await expect(number({ topic: '', consumerGroup: 'others' })).rejects.toMatchObject(unseen);
    for (let partition = 0; partition < 10; partition += 1)
      model.commit('third', 'orders', 100, { partition });
    expect(await number({ topic: '', consumerGroup: 'third' })).toEqual([30, true]);
  });

  it('37 a missing partition is an error, and a missing topic NOT_FOUND: never a smaller number', async () => {
    const { number, lag, model } = await startKafkaScaler();
    lag(30);
    model.partition('orders', 7).leader = -1;
    await expect(number({})).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      details: expect.stringMatching(/topic "orders" partition 7: .*no leader/),
    });
    await expect(number({ topic: 'order' })).rejects.toMatchObject({
      code: Code.NOT_FOUND,
      details: expect.stringContaining('"order"'),
    });
  });
});
