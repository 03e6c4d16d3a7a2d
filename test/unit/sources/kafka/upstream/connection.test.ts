import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../src/errors.ts';
import { parseParams } from '../../../../../src/params/parse.ts';
import { sources } from '../../../../../src/sources/index.ts';
import { kafkaConfig } from '../../../../../src/sources/kafka/config.ts';
import { kafka } from '../../../../../src/sources/kafka/index.ts';
import type { KafkaParams } from '../../../../../src/sources/kafka/params.ts';
import type { KafkaSnapshot } from '../../../../../src/sources/kafka/rules/snapshot.ts';
import { KafkaConnection } from '../../../../../src/sources/kafka/upstream/connection.ts';
import { silentLogger } from '../../../../../src/telemetry/log.ts';
import { silence, unmeasured } from '../../../../support/connection-deps.ts';
import { ModelKafka } from '../../../../support/kafka/model-kafka.ts';

function paramsOf(metadata: Record<string, string>): KafkaParams {
  const given = Object.entries(metadata).map(([key, value]): [string, { key: string; value: string }] => [
    key,
    { key, value },
  ]);
  return parseParams(kafka.params, new Map(given)).params;
}

function connectionTo(model: ModelKafka): KafkaConnection {
  const config = kafkaConfig.parse({ bootstrapServers: model.addresses });
  return new KafkaConnection(config, { name: 'orders', log: silentLogger }, model);
}

async function readOne(connection: KafkaConnection, params: KafkaParams) {
  const { key, need } = connection.subject(params);
  const results: (KafkaSnapshot | ScalerError)[] = [];
  await connection.read(
    [{ key, needs: [need] }],
    (_, result) => results.push(result instanceof ScalerError ? result : result.snapshot),
    new AbortController().signal,
  );
  return results[0] ?? new ScalerError('internal', 'nothing was delivered');
}

describe('the subject of a trigger', () => {
  const connection = connectionTo(new ModelKafka(1));
  const key = (metadata: Record<string, string>) =>
    connection.subject(paramsOf({ consumerGroup: 'g', ...metadata })).key;

  it('is the same for the same topics in any order, whatever the thresholds', () => {
    expect(key({ topic: 'b,a' })).toBe(key({ topic: 'a,b,a', lagThreshold: '99' }));
  });

  it('is another for another group, topic, pattern or isolation level', () => {
    const keys = [
      key({ topic: 'a' }),
      key({ topic: 'a', consumerGroup: 'h' }),
      key({ topic: 'a,b' }),
      key({ topicPattern: 'a' }),
      key({ topic: 'a', isolationLevel: 'readCommitted' }),
      key({}),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is hinted at by its topics, or its group', () => {
    expect(connection.subject(paramsOf({ consumerGroup: 'g', topic: 'b,a' })).hintNames).toEqual(['a', 'b']);
    expect(connection.subject(paramsOf({ consumerGroup: 'g' })).hintNames).toEqual([]);
  });
});

describe('a watch', () => {
  it('is refused for a snapshot with a hole', async () => {
    const model = new ModelKafka(1);
    model.create('a', { partitions: 2, leaders: [0, -1] });
    const connection = connectionTo(model);
    const params = paramsOf({ consumerGroup: 'g', topic: 'a' });
    const snapshot = await readOne(connection, params);
    if (snapshot instanceof ScalerError) throw snapshot;
    const { key, need } = connection.subject(params);
    expect(connection.arm({ key, needs: [need] }, snapshot, () => {}).state).toBe('refused');
    await connection.close();
  });
});

describe('the source', () => {
  it('is one of those there are', () => {
    expect(sources.map(({ kind }) => kind)).toContain('kafka');
  });

  it('turns a read into a number', async () => {
    const model = new ModelKafka(1);
    model.create('orders', { end: 25 });
    model.commit('g', 'orders', 5);
    const connection = connectionTo(model);
    const params = paramsOf({ consumerGroup: 'g', topic: 'orders', allowIdleConsumers: 'true' });
    const snapshot = await readOne(connection, params);
    if (snapshot instanceof ScalerError) throw snapshot;
    const history = kafka.fold(undefined, snapshot, 0);
    const reading = kafka.evaluate(params, {
      snapshot,
      history,
      nowMs: 0,
      takenAtMs: 0,
      lastHintAtMs: undefined,
      wasActive: undefined,
    });
    expect(reading).toMatchObject({ kind: 'known', items: 20, active: true });
    await connection.close();
  });
});

describe('a server that hangs after accept', () => {
  it('is given up in time, and no socket is left after close', async () => {
    const server = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const config = kafkaConfig.parse({ bootstrapServers: [`127.0.0.1:${port}`], connectTimeoutMs: 100 });
    const connection = kafka.connect(config, {
      name: 'orders',
      log: silentLogger,
      metrics: unmeasured,
      events: silence,
      same: () => false,
      wake() {},
    });
    const params = paramsOf({ consumerGroup: 'g', topic: 'a' });
    const { key, need } = connection.subject(params);
    const messages: string[] = [];
    await connection.read(
      [{ key, needs: [need] }],
      (_, result) => messages.push(result instanceof ScalerError ? result.message : 'ok'),
      new AbortController().signal,
    );
    expect(messages).toEqual([expect.stringContaining('kafka connection "orders": no broker answers')]);
    await connection.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
