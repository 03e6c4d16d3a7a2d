import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { useKafka } from '../../support/kafka/broker.ts';

describe('three brokers with users, unsigned tokens and ACLs', () => {
  const kafka = useKafka({
    brokers: 3,
    users: { scaler: 'a-password' },
    oauthBearer: true,
    acls: true,
  });

  function client(sasl: SASLOptions): Kafka {
    const brokers = [...kafka().cluster.bootstrap.sasl];
    return new Kafka({ brokers, sasl, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  }

  async function topicsSeen(sasl: SASLOptions): Promise<string[]> {
    const admin = client(sasl).admin();
    await admin.connect();
    try {
      return await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  }

  const password = { username: 'scaler', password: 'a-password' };
  const unsignedToken = () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    return `${part({ alg: 'none' })}.${part({ sub: 'scaler', iat: now, exp: now + 600 })}.`;
  };

  it.each<[string, () => SASLOptions]>([
    ['PLAIN', () => ({ mechanism: 'plain', ...password })],
    ['SCRAM-SHA-256', () => ({ mechanism: 'scram-sha-256', ...password })],
    ['SCRAM-SHA-512', () => ({ mechanism: 'scram-sha-512', ...password })],
    [
      'OAUTHBEARER',
      () => ({ mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: unsignedToken() }) }),
    ],
  ])('admits a user by %s, who sees nothing without an ACL', async (_, sasl) => {
    await kafka().createTopic({ partitions: 3, replicas: 3 });
    expect(await topicsSeen(sasl())).toEqual([]);
  });

  it('refuses a wrong password', async () => {
    await expect(
      topicsSeen({ mechanism: 'scram-sha-512', username: 'scaler', password: 'wrong' }),
    ).rejects.toThrow(/authentication/i);
  });

  it('moves a partition to another broker when its leader is killed', async () => {
    const topic = await kafka().createTopic({ assignment: [[2, 3]] });
    await kafka().produce(topic);
    expect(await kafka().leaders(topic)).toEqual({ 0: 2 });
    await kafka().cluster.broker(2).kill();
    await expect.poll(() => kafka().leaders(topic), { timeout: 30_000 }).toEqual({ 0: 3 });
    await kafka().cluster.restart(2);
    await expect
      .poll(
        () =>
          kafka()
            .admin.describeCluster()
            .then((c) => c.brokers.length),
        { timeout: 30_000 },
      )
      .toBe(3);
  }, 90_000);
});
