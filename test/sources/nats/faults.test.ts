import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { day, openNats, rarely } from '../../support/nats/nats-triggers.ts';
import { useNats } from '../../support/nats/server.ts';

describe('a server that is away', () => {
  const nats = useNats();
  let user: JetStreamUser;
  beforeAll(async () => {
    user = await JetStreamUser.connect(nats().urls);
  });
  afterAll(() => user.close());

  it('is connected to again, and consumers at rest are watched again', async () => {
    const on = openNats({ servers: [...nats().urls], ...rarely });
    const trigger = { ...(await user.stream()), maxStalenessSeconds: day };
    await on.becomes(trigger, 0);
    const told = on.follow(trigger);
    await on.comesToRest();
    await nats().server('n1').kill();
    await expect
      .poll(() => on.status(trigger)?.error)
      .toMatch(/NATS at .* (refuses the connection|has closed)/);
    expect(await on.wakes('watch lost')).toBe(1);
    expect(await on.value(trigger)).toBe(0);
    await nats().restart('n1');
    await expect.poll(() => on.status(trigger)?.error).toBeUndefined();
    await on.comesToRest();
    await user.publish(`${trigger.stream}.a`, 2);
    await expect.poll(() => told.at(-1), { interval: 5 }).toEqual({ active: true, edge: true });
    await on.becomes(trigger, 2);
    expect(await on.wakes('message')).toBe(1);
  });

  it('is reported if it never existed', async () => {
    const on = openNats({ servers: ['nats://127.0.0.1:1'] });
    await on.refuses(
      { stream: 'a', consumer: 'b' },
      /^unavailable: .*NATS at nats:\/\/127\.0\.0\.1:1 refuses the connection/,
    );
  });

  it('and only frozen keeps the last number for a while, and never is a zero', async () => {
    const on = openNats({ servers: [...nats().urls], requestTimeoutMs: 500 });
    const trigger = { ...(await user.stream()), maxStalenessSeconds: '3' };
    await user.publish(`${trigger.stream}.a`, 4);
    await on.becomes(trigger, 4);
    const answers = new Set<string>();
    nats().server('n1').signal('SIGSTOP');
    try {
      await expect
        .poll(async () => {
          const answer = await on.value(trigger).then(String, ({ code, message }) => `${code}: ${message}`);
          answers.add(answer.replace(/: .*/, ''));
          return answer;
        })
        .toMatch(/^unavailable: .*(does not answer in time|is silent)/);
      expect([...answers]).toEqual(['4', 'unavailable']);
    } finally {
      nats().server('n1').signal('SIGCONT');
    }
    await on.becomes(trigger, 4);
  });
});

describe('three servers', () => {
  const nats = useNats({ nodes: 3 });

  it('wake by a message that reaches another one of them', async () => {
    const [first = '', , third = ''] = nats().urls;
    const user = await JetStreamUser.connect([third]);
    const on = openNats({ servers: [first], ...rarely });
    const trigger = { ...(await user.stream({ num_replicas: 3 })), maxStalenessSeconds: day };
    await on.becomes(trigger, 0);
    const told = on.follow(trigger);
    await on.comesToRest();
    await user.publish(`${trigger.stream}.a`, 2);
    await expect.poll(() => told.at(-1), { interval: 5 }).toEqual({ active: true, edge: true });
    expect(await on.wakes('message')).toBe(1);
    await on.becomes(trigger, 2);
    await user.close();
  });

  it('give no zero of a server that is cut off from the others', async () => {
    const [first = ''] = nats().urls;
    const user = await JetStreamUser.connect([first]);
    const on = openNats({ servers: [first] });
    const { stream } = await user.stream({ num_replicas: 3 });
    // A consumer with one copy goes on alone.
    let trigger = { stream, consumer: '' };
    for (let i = 0, leader = ''; leader !== 'n1'; i += 1) {
      trigger = await user.consumer(stream, { durable_name: `alone-${i}`, num_replicas: 1 });
      const { cluster } = await user.manager.consumers.info(stream, trigger.consumer);
      leader = cluster?.leader ?? '';
    }
    const brief = { ...trigger, maxStalenessSeconds: '3' };
    await on.becomes(brief, 0);
    const others = ['n2', 'n3'].map((name) => nats().server(name));
    for (const server of others) server.signal('SIGSTOP');
    try {
      await expect
        .poll(() => on.value(brief).catch(String), { timeout: 60_000 })
        .toMatch(/has not caught up/);
    } finally {
      for (const server of others) server.signal('SIGCONT');
    }
    await expect.poll(() => on.value(brief).catch(String), { timeout: 60_000 }).toBe(0);
    await user.close();
  });

  it('give no wrong zero while leaders change, and wake afterwards', async () => {
    const user = await JetStreamUser.connect(nats().urls);
    const on = openNats({ servers: [...nats().urls] });
    const trigger = await user.stream({ num_replicas: 3 });
    await user.publish(`${trigger.stream}.a`, 5);
    await on.becomes(trigger, 5);
    const values = new Set<number>();
    for (let round = 0; round < 2; round += 1) {
      const { cluster } = await user.manager.consumers.info(trigger.stream, trigger.consumer);
      const leader = cluster?.leader ?? '';
      await nats().server(leader).kill();
      await expect
        .poll(async () => {
          values.add(await on.value(trigger).catch(() => -1));
          const info = await user.manager.consumers
            .info(trigger.stream, trigger.consumer)
            .catch(() => undefined);
          return info?.cluster?.leader ?? leader;
        })
        .not.toBe(leader);
      await nats().restart(leader);
    }
    await on.becomes(trigger, 5);
    values.delete(-1);
    expect([...values]).toEqual([5]);
    await user.take(trigger, 5);
    await on.becomes(trigger, 0);
    const told = on.follow(trigger);
    await user.publish(`${trigger.stream}.a`);
    await expect.poll(() => told.at(-1)?.active).toBe(true);
    await user.close();
  });
});
