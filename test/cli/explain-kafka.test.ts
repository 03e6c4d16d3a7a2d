import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ConfigFolder } from '../support/config-folder.ts';
import { docsExample, explain, explainOne, partsOf, scaledObject, sectionOf } from '../support/explain.ts';
import { useKafka } from '../support/kafka/broker.ts';

describe('explain of a consumer group, on a real broker', () => {
  const kafka = useKafka({ heapMiB: 256 });
  let folder: ConfigFolder;
  beforeEach(async () => {
    folder = await ConfigFolder.make();
    const orders = { source: 'kafka', bootstrapServers: [...kafka().cluster.bootstrap.plain] };
    await folder.write('config.yaml', stringify({ connections: { orders } }));
  });
  afterEach(() => folder.remove());

  function objectOf(metadata: Readonly<Record<string, string>>): string {
    return scaledObject('order-workers', { source: 'kafka', connection: 'orders', ...metadata });
  }

  it('says the offsets of each partition, and the rule by which they count', async () => {
    const topic = await kafka().createTopic({ name: 'orders', partitions: 4 });
    for (const [partition, count] of [10, 4, 6, 3].entries())
      await kafka().produce(topic, count, { partition });
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 0: 7, 1: 4 });
    const explained = await explainOne(['--config', folder.file], objectOf({ consumerGroup, topic }));
    const uncommitted = 'no commit; offsetResetPolicy latest counts 1, so that the group can start';
    expect(partsOf(explained)).toEqual([
      [`${topic}/0`, 3, 'end - committed'],
      [`${topic}/1`, 0, 'no lag'],
      [`${topic}/2`, 1, uncommitted],
      [`${topic}/3`, 1, uncommitted],
    ]);
    expect(explained.working?.rows.map(({ said }) => said)).toEqual([
      { committed: 7, logStart: 0, end: 10 },
      { committed: 4, logStart: 0, end: 4 },
      { committed: 'none', logStart: 0, end: 6 },
      { committed: 'none', logStart: 0, end: 3 },
    ]);
    const value = explained.answers.find(({ rpc }) => rpc === 'GetMetrics')?.fields?.['metricValue'];
    expect(value).toBe('5');

    const { stdout: text } = await explain(['--config', folder.file], objectOf({ consumerGroup, topic }));
    expect(sectionOf(text, 'Working, by partitions')).toBe(docsExample('text', 'orders/0'));

    const earliest = objectOf({ consumerGroup, topic, offsetResetPolicy: 'earliest' });
    const { stdout, code } = await explain(['--config', folder.file], earliest);
    expect(code).toBe(0);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      `${topic}/2: 6, no commit; offsetResetPolicy earliest counts end - logStart (committed none, logStart 0, end 6)`,
    );
  });

  it('shows the partitions with the most lag of very many, and says how many more there are', async () => {
    const topic = await kafka().createTopic({ partitions: 120 });
    await kafka().produce(topic, 9, { partition: 117 });
    const consumerGroup = kafka().name('group');
    await kafka().commit(consumerGroup, topic, { 117: 2 });
    const { stdout } = await explain(['--config', folder.file], objectOf({ consumerGroup, topic }));
    expect(stdout).toContain(`${topic}/117: 7, end - committed`);
    expect(stdout).toContain('    and 70 more partitions, which add 70\n');
    expect(stdout).toContain('at most 120 replicas can have work: a partition has one consumer');
  });

  it('says of a topic that is not there what to do', async () => {
    const topic = kafka().name('nowhere');
    const explained = await explainOne(
      ['--config', folder.file],
      objectOf({ consumerGroup: 'group', topic }),
    );
    expect(explained.working).toBeUndefined();
    expect(explained.answers.find(({ rpc }) => rpc === 'GetMetrics')?.message).toContain(topic);
  });
});
