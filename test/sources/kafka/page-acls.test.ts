import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Grant, grant } from '../../support/kafka/acls.ts';
import { useKafka } from '../../support/kafka/broker.ts';
import { KafkaTriggers } from '../../support/kafka/kafka-triggers.ts';

const page = readFileSync(new URL('../../../docs/kafka.md', import.meta.url), 'utf8');
const user = 'backlog-scaler';
const operation = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['describe', 'read']));
const kind = z.enum(['topic', 'group']);

/** The grants of the page's `kafka-acls.sh --add` commands. */
function ofCommands(): Grant[] {
  const commands = page.replaceAll('\\\n', '').matchAll(/^kafka-acls\.sh (.*--add.*)$/gm);
  return [...commands].flatMap(([, options = '']) => {
    const [, principal = ''] = /--allow-principal User:(\S+)/.exec(options) ?? [];
    const [, resource, name = ''] = /--(topic|group) (\S+)/.exec(options) ?? [];
    return [...options.matchAll(/--operation (\w+)/g)].map(([, one]) => ({
      user: principal,
      operation: operation.parse(one),
      kind: kind.parse(resource),
      name,
    }));
  });
}

const kafkaUser = z.object({
  kind: z.literal('KafkaUser'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    authorization: z.object({
      acls: z.array(
        z.object({
          resource: z.object({ type: kind, name: z.string(), patternType: z.literal('literal') }),
          operations: z.array(operation),
        }),
      ),
    }),
  }),
});

/** The grants of the page's KafkaUser. */
function ofKafkaUser(): Grant[] {
  const [, block = ''] = /```yaml\n([^`]*kind: KafkaUser[^`]*)```/.exec(page) ?? [];
  const { metadata, spec } = kafkaUser.parse(parse(block));
  return spec.authorization.acls.flatMap(({ resource, operations }) =>
    operations.map((one) => ({
      user: metadata.name,
      operation: one,
      kind: resource.type,
      name: resource.name,
    })),
  );
}

describe('the rights that docs/kafka.md grants', () => {
  const kafka = useKafka({ heapMiB: 256, users: { [user]: 'a-password' }, acls: true });

  it('are those of its KafkaUser', () => {
    expect(ofCommands()).toHaveLength(3);
    expect(ofKafkaUser()).toEqual(ofCommands());
  });

  it('are enough to read the lag, and to be woken by a record', async () => {
    const topic = await kafka().createTopic();
    const consumerGroup = kafka().name('group');
    await kafka().produce(topic, 3);
    await kafka().commit(consumerGroup, topic, { 0: 1 });
    const names = { topic, group: consumerGroup };
    for (const granted of ofCommands()) await grant(kafka(), { ...granted, name: names[granted.kind] });
    const on = new KafkaTriggers({
      cluster: {
        bootstrapServers: [...kafka().cluster.bootstrap.sasl],
        sasl: { mechanism: 'scram-sha-256', username: user, password: 'a-password' },
      },
    });
    const trigger = { topic, consumerGroup };
    await on.becomes(trigger, 2);
    await kafka().commit(consumerGroup, topic, { 0: 3 });
    await on.becomes(trigger, 0);
    on.follow(trigger);
    const wakes = await on.wakes('record');
    let end = 3;
    await expect
      .poll(
        async () => {
          await kafka().produce(topic, 1);
          // Who was not watched yet would now be active, and stay so: only what is inactive is woken.
          await kafka().commit(consumerGroup, topic, { 0: ++end });
          return on.wakes('record');
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBeGreaterThan(wakes);
    await on.close();
  });
});
