import { status as Code, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Command } from '../../support/command.ts';
import { ConfigFolder } from '../../support/config-folder.ts';
import { grant, revoke } from '../../support/kafka/acls.ts';
import { useKafka } from '../../support/kafka/broker.ts';
import { ref, TestClient } from '../../support/rpc-client.ts';

const password = 'a-pass-word-of-ours';
const minute = 60_000;

/** Missing, invisible or uncertain data, on a real broker and through a whole `serve`. */
describe('a running serve', () => {
  const kafka = useKafka({ heapMiB: 256, users: { scaler: password }, acls: true });
  let folder: ConfigFolder;
  let serving: Command;
  let client: TestClient;

  beforeAll(async () => {
    const { plain, sasl } = kafka().cluster.bootstrap;
    const settings = 'source: kafka, activeReadMs: 200, reconcileSeconds: 2';
    const login = `sasl: { mechanism: scram-sha-256, username: scaler, password: ${password} }`;
    folder = await ConfigFolder.make();
    await folder.write(
      'config.yaml',
      `grpc: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
security: { allowPlaintextSecrets: true }
connections:
  all: { ${settings}, bootstrapServers: ${JSON.stringify(plain)} }
  some: { ${settings}, bootstrapServers: ${JSON.stringify(sasl)}, ${login} }
`,
    );
    serving = new Command(['serve', '--config', folder.file]);
    client = new TestClient(`127.0.0.1:${await serving.port('grpc')}`, credentials.createInsecure());
  });

  afterAll(async () => {
    client?.close();
    serving?.signal('SIGTERM');
    await serving?.exited;
    await folder?.remove();
  });

  const trigger = (metadata: Record<string, string>) =>
    ref('orders', { source: 'kafka', connection: 'all', allowIdleConsumers: 'true', ...metadata });

  async function refusal(metadata: Record<string, string>): Promise<string> {
    try {
      const { result } = await client.isActive(trigger(metadata));
      return `active: ${result}`;
    } catch (reason) {
      const { code, details } = reason as ServiceError;
      return `${Code[code]}: ${details}`;
    }
  }

  async function value(metadata: Record<string, string>): Promise<string> {
    try {
      const { metricSpecs } = await client.getMetricSpec(trigger(metadata));
      const name = metricSpecs[0]?.metricName ?? '';
      const { metricValues } = await client.getMetrics(trigger(metadata), name);
      return String(metricValues[0]?.metricValueFloat);
    } catch (reason) {
      return Code[(reason as ServiceError).code] ?? 'no code';
    }
  }

  it('does not know the number of a pattern that matches nothing', async () => {
    const consumerGroup = kafka().name('group');
    const given = { consumerGroup, topicPattern: `${kafka().name('nothing')}-*` };
    expect(await refusal(given)).toMatch(
      /^UNAVAILABLE: .*matches no topic that the connection's user may see/,
    );
    expect(await value(given)).toBe('UNAVAILABLE');
  });

  it('does not know the number of a group without commits if no topic is named', async () => {
    const consumerGroup = kafka().name('group');
    expect(await refusal({ consumerGroup })).toMatch(
      /^UNAVAILABLE: .*has no committed offset that the connection's user/,
    );
    expect(await value({ consumerGroup })).toBe('UNAVAILABLE');
  });

  it.each(['^orders-.*$', 'orders-[0-9]+', '(a|b).*', 'a-*,b'])(
    'refuses the pattern %s',
    async (topicPattern) => {
      const given = { consumerGroup: 'workers', topicPattern };
      expect(await refusal(given)).toMatch(/^INVALID_ARGUMENT: .*topicPattern: must be .*\* for any run/);
      expect(await value(given)).toBe('INVALID_ARGUMENT');
    },
  );

  it(
    'knows no zero once DESCRIBE on the topics is taken away',
    async () => {
      const stem = kafka().name('seen');
      const topics = [`${stem}-a`, `${stem}-b`];
      const consumerGroup = kafka().name('group');
      for (const name of topics) {
        await kafka().createTopic({ name });
        await kafka().produce(name, 3);
        await kafka().commit(consumerGroup, name, { 0: 1 });
        await grant(kafka(), { user: 'scaler', operation: 'describe', kind: 'topic', name });
      }
      await grant(kafka(), { user: 'scaler', operation: 'describe', kind: 'group', name: consumerGroup });
      const maxStalenessSeconds = '3';
      const byPattern = { connection: 'some', consumerGroup, topicPattern: `${stem}-*`, maxStalenessSeconds };
      const byCommit = { connection: 'some', consumerGroup, maxStalenessSeconds };
      for (const given of [byPattern, byCommit]) {
        await expect.poll(() => value(given), { timeout: minute }).toBe('4');
      }
      const seen = new Set<string>();
      const becomesUnknown = async (...messages: RegExp[]) => {
        for (const [at, given] of [byPattern, byCommit].entries()) {
          const look = async () => {
            seen.add(await value(given));
            return refusal(given);
          };
          await expect.poll(look, { timeout: minute }).toMatch(messages[at] ?? /UNAVAILABLE/);
        }
      };
      // One of two. The rest must not look like the whole.
      await revoke(kafka(), { user: 'scaler', operation: 'describe', kind: 'topic', name: topics[1] ?? '' });
      const hidden = new RegExp(`UNAVAILABLE: .*topic "${stem}-b": .*grant it DESCRIBE on the topic`);
      await becomesUnknown(hidden, hidden);
      await revoke(kafka(), { user: 'scaler', operation: 'describe', kind: 'topic', name: topics[0] ?? '' });
      await becomesUnknown(/UNAVAILABLE: .*topic/, /UNAVAILABLE: .*topic/);
      expect([...seen].filter((one) => one !== '4')).toEqual(['UNAVAILABLE']);
    },
    3 * minute,
  );

  it(
    'counts a log that was made anew from its start, though the old commit has stayed, and says so once',
    async () => {
      const topic = await kafka().createTopic();
      const consumerGroup = kafka().name('group');
      const given = { consumerGroup, topic, offsetResetPolicy: 'earliest' };
      await kafka().produce(topic, 100);
      await kafka().commit(consumerGroup, topic, { 0: 100 });
      await expect.poll(() => value(given), { timeout: minute }).toBe('0');
      const stream = client.streamIsActive(trigger(given));
      expect((await stream.next()).result).toBe(false);

      await kafka().admin.deleteTopics({ topics: [topic] });
      await kafka().createTopic({ name: topic });
      await kafka().commit(consumerGroup, topic, { 0: 100 });
      await kafka().produce(topic, 23);
      expect((await stream.next()).result).toBe(true);
      await expect.poll(() => value(given), { timeout: minute }).toBe('23');
      const lines = serving.stdout
        .split('\n')
        .filter((line) => line.includes(topic) && line.includes('beyond'));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/"level":"warn".*lies beyond the end of the log.*offsetResetPolicy/);
    },
    3 * minute,
  );

  it(
    'sees the record of one topic of a pattern right after another was deleted',
    async () => {
      const stem = kafka().name('shrinking');
      const consumerGroup = kafka().name('group');
      for (const name of ['a', 'b'].map((end) => `${stem}-${end}`)) {
        await kafka().createTopic({ name });
        await kafka().commit(consumerGroup, name, { 0: 0 });
      }
      for (const given of [{ consumerGroup, topicPattern: `${stem}-*` }, { consumerGroup }]) {
        await expect.poll(() => value(given), { timeout: minute }).toBe('0');
      }
      const streams = [{ consumerGroup, topicPattern: `${stem}-*` }, { consumerGroup }].map((given) =>
        client.streamIsActive(trigger(given)),
      );
      for (const stream of streams) expect((await stream.next()).result).toBe(false);
      await kafka().admin.deleteTopics({ topics: [`${stem}-a`] });
      await kafka().produce(`${stem}-b`, 2);
      for (const stream of streams) expect((await stream.next()).result).toBe(true);
      await expect.poll(() => value({ consumerGroup, topicPattern: `${stem}-*` })).toBe('2');
      await expect.poll(() => value({ consumerGroup })).toBe('2');
    },
    3 * minute,
  );
});
