import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TestKafka, useKafka } from '../../support/kafka/broker.ts';
import { tool, useTool } from '../../support/tools/use-tool.ts';

describe('a broker for tests', () => {
  const kafka = useKafka({ users: { scaler: 'a-password' }, stats: true });

  it('takes records', async () => {
    const topic = await kafka().createTopic({ partitions: 2 });
    await kafka().produce(topic, 3, { partition: 1 });
    const offsets = await kafka().admin.fetchTopicOffsets(topic);
    expect(offsets.map(({ partition, high }) => [partition, high]).sort()).toEqual([
      [0, '0'],
      [1, '3'],
    ]);
  });

  it('reads back what was committed for a group without members', async () => {
    const topic = await kafka().createTopic({ partitions: 2 });
    const group = kafka().name('group');
    await kafka().produce(topic, 5, { partition: 0 });
    await kafka().commit(group, topic, { 0: 4 });
    expect(await kafka().committed(group, topic)).toEqual({ 0: 4, 1: -1 });
  });

  it('counts its requests', async () => {
    const [broker] = kafka().cluster.brokers;
    const count = async () => (await broker?.stats())?.requests['ListGroups v2'] ?? 0;
    const before = await count();
    await kafka().admin.listGroups();
    // It counts what it has answered a moment later.
    await expect.poll(count).toBe(before + 1);
  });

  it('comes back with its records after it was killed', async () => {
    const topic = await kafka().createTopic();
    await kafka().produce(topic, 2);
    const { cluster } = kafka();
    await cluster.broker(1).kill();
    expect(cluster.broker(1).running).toBe(false);
    await cluster.restart(1);
    await kafka().produce(topic, 1);
    expect((await kafka().admin.fetchTopicOffsets(topic)).map(({ high }) => high)).toEqual(['3']);
  }, 60_000);

  it('starts again where another process had its port', async () => {
    const { cluster } = kafka();
    const broker = cluster.broker(1);
    const { files, node } = broker;
    await broker.kill();
    const squatter = createServer().listen(node.ports.sasl, '127.0.0.1');
    await once(squatter, 'listening');
    const restarted = cluster.restart(1);
    await expect
      .poll(() => readFileSync(files.log, 'utf8'), { timeout: 60_000 })
      .toContain('Address already in use');
    squatter.close();
    await restarted;
    expect(await kafka().admin.listTopics()).toEqual(expect.any(Array));
  }, 90_000);
});

describe("the tests' broker", () => {
  useTool(() => tool('kafka-broker'));

  it('leaves no process and no file behind', async () => {
    const kafka = await TestKafka.start();
    const pids = kafka.cluster.brokers.map(({ pid }) => pid ?? 0);
    expect(pids.every((pid) => process.kill(pid, 0))).toBe(true);
    await kafka.stop();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect(existsSync(kafka.cluster.directory)).toBe(false);
  }, 60_000);
});
