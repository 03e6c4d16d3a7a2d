import { describe, expect, it } from 'vitest';
import { givenValues, parseParams } from '../../../../src/params/parse.ts';
import { kafkaParams } from '../../../../src/sources/kafka/params.ts';

function parse(metadata: Record<string, string>) {
  return parseParams(kafkaParams, givenValues({ consumerGroup: 'workers', ...metadata }));
}

describe("Kafka's trigger metadata", () => {
  it("has KEDA's defaults", () => {
    const { params, faults } = parse({});
    expect(faults).toEqual([]);
    expect(params).toEqual({
      consumerGroup: 'workers',
      topic: [],
      topicPattern: '',
      lagThreshold: 10,
      activationLagThreshold: 0,
      offsetResetPolicy: 'latest',
      allowIdleConsumers: false,
      scaleToZeroOnInvalidOffset: false,
      excludePersistentLag: false,
      persistentLagSeconds: 60,
      limitToPartitionsWithLag: false,
      ensureEvenDistributionOfPartitions: false,
      partitionLimitation: undefined,
      isolationLevel: 'readUncommitted',
    });
  });

  it("reads KEDA's spellings", () => {
    const { params, faults } = parse({
      topic: 'a, b',
      lagThreshold: ' 25 ',
      allowIdleConsumers: 'T',
      partitionLimitation: '1,3-5',
      offsetResetPolicy: 'earliest',
      isolationLevel: 'readCommitted',
    });
    expect(faults).toEqual([]);
    expect(params).toMatchObject({
      topic: ['a', 'b'],
      lagThreshold: 25,
      allowIdleConsumers: true,
      partitionLimitation: [
        { from: 1, to: 1 },
        { from: 3, to: 5 },
      ],
      offsetResetPolicy: 'earliest',
      isolationLevel: 'readCommitted',
    });
  });

  it.each([
    [{ consumerGroup: '' }, 'consumerGroup: is required'],
    [{ lagThreshold: '0' }, 'lagThreshold: must be a number above 0'],
    [{ lagThreshold: '-1' }, 'lagThreshold: must be a number above 0'],
    [{ lagThreshold: 'NaN' }, 'lagThreshold: must be a decimal number above 0'],
    [{ activationLagThreshold: '-1' }, 'activationLagThreshold: must be a number of at least 0'],
    [{ persistentLagSeconds: '0' }, 'persistentLagSeconds: must be a number above 0'],
    [{ offsetResetPolicy: 'none' }, 'offsetResetPolicy: must be one of latest, earliest'],
    [
      { topicPattern: '^orders-.*$' },
      'topicPattern: must be a name of letters, digits, ".", "_" and "-", with *',
    ],
    [{ topicPattern: 'orders-[0-9]+' }, 'got "orders-[0-9]+"'],
    [{ topicPattern: 'a-*,b' }, 'topicPattern: must be a name'],
    [{ topicPattern: 'größe-*' }, 'topicPattern: must be a name'],
    [{ topic: 'a', topicPattern: 'a*' }, 'topic and topicPattern exclude each other'],
    [
      { topic: 'a', allowIdleConsumers: 'true', limitToPartitionsWithLag: 'true' },
      'allowIdleConsumers and limitToPartitionsWithLag exclude each other',
    ],
    [
      { topic: 'a', ensureEvenDistributionOfPartitions: 'true', limitToPartitionsWithLag: 'true' },
      'ensureEvenDistributionOfPartitions and limitToPartitionsWithLag exclude each other',
    ],
    [{ limitToPartitionsWithLag: 'true' }, 'limitToPartitionsWithLag: needs topic or topicPattern'],
    [
      { ensureEvenDistributionOfPartitions: 'true' },
      'ensureEvenDistributionOfPartitions: needs topic or topicPattern',
    ],
  ])('refuses %o', (metadata, fault) => {
    const { faults } = parse(metadata);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
  });

  it.each([
    [{ topic: 'a', limitToPartitionsWithLag: 'true' }],
    [{ topicPattern: 'a*', limitToPartitionsWithLag: 'true' }],
    [{ topicPattern: 'a*', ensureEvenDistributionOfPartitions: 'true' }],
    [{ topic: 'a', allowIdleConsumers: 'true', ensureEvenDistributionOfPartitions: 'true' }],
    [{ partitionLimitation: '1' }],
    [{ topicPattern: 'Orders.v1_eu-??.*' }],
  ])('accepts %o', (metadata) => {
    expect(parse(metadata).faults).toEqual([]);
  });

  it('documents every key in one sentence', () => {
    for (const { doc } of Object.values(kafkaParams.table)) expect(doc).toMatch(/^[^\n]{20,140}\.$/);
  });
});
