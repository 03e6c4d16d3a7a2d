import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { day, type Metadata, type NatsTriggers, openNats, rarely } from '../../support/nats/nats-triggers.ts';
import { useNats } from '../../support/nats/server.ts';

describe('a consumer at rest', () => {
  const nats = useNats();
  let user: JetStreamUser;
  beforeAll(async () => {
    user = await JetStreamUser.connect(nats().urls);
  });
  afterAll(() => user.close());
  const open = (): NatsTriggers => openNats({ servers: [...nats().urls], ...rarely });
  const resting = async (on: NatsTriggers, of: Metadata): Promise<Metadata> => {
    const trigger = { ...of, maxStalenessSeconds: day };
    await on.becomes(trigger, 0);
    return trigger;
  };
  const seesEdge = (told: readonly unknown[]) =>
    expect.poll(() => told.at(-1), { interval: 5 }).toEqual({ active: true, edge: true });

  it('is woken by its message, and by one subscription of one message', async () => {
    const on = open();
    const trigger = await resting(on, await user.stream());
    const told = on.follow(trigger);
    await on.comesToRest();
    await user.publish(`${trigger['stream']}.a`, 3);
    await seesEdge(told);
    await on.becomes(trigger, 3);
    expect(await on.wakes('message')).toBe(1);
    expect(await subscriptions(nats().servers[0]?.monitoring ?? '')).not.toContain(`${trigger['stream']}.>`);
  });

  it('of many on one subject, each is woken, by one subscription', async () => {
    const on = open();
    const name = user.name();
    const made = [await user.stream({ name })];
    for (let at = 1; at < 10; at += 1) made.push(await user.consumer(name, { durable_name: `worker-${at}` }));
    const triggers = await Promise.all(made.map((each) => resting(on, each)));
    const told = triggers.map((trigger) => on.follow(trigger));
    await on.comesToRest();
    const all = await subscriptions(nats().servers[0]?.monitoring ?? '');
    expect(all.filter((subject) => subject === `${name}.>`)).toHaveLength(1);
    await user.publish(`${name}.a`);
    for (const each of told) await seesEdge(each);
  });

  it('is woken on each of its filter subjects, and not on others', async () => {
    const on = open();
    const name = user.name();
    const consumer = await user.stream({ name }, { filter_subjects: [`${name}.x`, `${name}.y.*`] });
    const trigger = await resting(on, consumer);
    const told = on.follow(trigger);
    await on.comesToRest();
    await user.publish(`${name}.z`);
    await user.publish(`${name}.y.1`);
    await seesEdge(told);
    expect(await on.wakes('message')).toBe(1);
  });

  it('is watched on other subjects when it takes others, and when its stream is made anew', async () => {
    const on = openNats({ servers: [...nats().urls], reconcileSeconds: 1 });
    const name = user.name();
    const heard = () => subscriptions(nats().servers[0]?.monitoring ?? '');
    const trigger = await resting(on, await user.stream({ name }, { filter_subject: `${name}.x` }));
    await expect.poll(heard).toContain(`${name}.x`);
    await user.manager.consumers.update(name, 'worker', { filter_subject: `${name}.y` });
    await expect.poll(heard).toContain(`${name}.y`);
    expect(await heard()).not.toContain(`${name}.x`);
    await user.manager.streams.delete(name);
    await user.stream({ name, subjects: ['elsewhere.>'] });
    await expect.poll(heard).toContain('elsewhere.>');
    await user.publish('elsewhere.a');
    await on.becomes(trigger, 1);
  });

  it('loses no message that comes at any moment of coming to rest', async () => {
    const on = open();
    const trigger = await resting(on, await user.stream());
    const told = on.follow(trigger);
    for (let at = 0; at < 25; at += 1) {
      await user.publish(`${trigger['stream']}.a`);
      await seesEdge(told);
      await user.take({ stream: String(trigger['stream']), consumer: 'worker' }, 1);
      await expect.poll(() => told.at(-1), { interval: 1 }).toMatchObject({ active: false });
      // From before the subscription to after it, in steps that no round hits twice.
      await sleep(at * 60 * Math.random());
    }
  });

  it.each([
    ['a mirror', (origin: string) => ({ mirror: { name: origin } })],
    ['a stream with sources', (origin: string) => ({ sources: [{ name: origin }] })],
    [
      'a stream that transforms subjects',
      (origin: string) => ({ subject_transform: { src: `${origin}-t.*`, dest: 'done.{{wildcard(1)}}' } }),
    ],
  ])('of %s is not watched, and read at its pace', async (_, how) => {
    const { stream: origin } = await user.stream();
    const isTransformed = 'subject_transform' in how(origin);
    const name = `${origin}-t`;
    const consumer = await user.stream({
      name,
      ...(isTransformed && { subjects: [`${name}.*`] }),
      ...how(origin),
    });
    const on = open();
    const trigger = await resting(on, consumer);
    const told = on.follow(trigger);
    const before = await on.reads();
    await expect.poll(() => on.reads()).toBeGreaterThan(before + 15);
    await user.publish(isTransformed ? `${name}.a` : `${origin}.a`);
    await seesEdge(told);
    expect(on.status(trigger)?.detail).toMatchObject({ notWatchedBecause: expect.any(String) });
    expect(await on.wakes('message')).toBe(0);
  });

  it('that hears what its stream does not take is left to the clock', async () => {
    const on = open();
    const consumer = await user.stream();
    await user.publishAs(`${consumer.stream}.a`, 'once');
    await user.take(consumer, 1);
    const trigger = await resting(on, consumer);
    // The stream already has it, so each of these is a duplicate. In the end none wakes any longer.
    let wakes = -1;
    let quiet = 0;
    await expect
      .poll(
        async () => {
          const now = await on.wakes('message');
          quiet = now === wakes ? quiet + 1 : 0;
          wakes = now;
          await user.publishAs(`${consumer.stream}.a`, 'once');
          return quiet;
        },
        { interval: 300, timeout: 60_000 },
      )
      .toBe(10);
    expect(wakes).toBeGreaterThanOrEqual(10);
    await on.becomes(trigger, 0);
    const before = await on.reads();
    await expect.poll(() => on.reads()).toBeGreaterThan(before + 15);
    await user.publish(`${consumer.stream}.a`);
    await on.becomes(trigger, 1);
  });

  it('that keeps up with its messages is left to the clock', async () => {
    const on = open();
    const consumer = await user.stream({}, { ack_policy: 'none' });
    const trigger = await resting(on, { ...consumer, activationLagThreshold: '1000000' });
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        await user.publish(`${consumer.stream}.a`);
        await sleep(20);
      }
    })();
    await sleep(2_500);
    const wakes = await on.wakes('message');
    await sleep(1_000);
    expect(await on.wakes('message')).toBe(wakes);
    isOver = true;
    await traffic;
    await on.comesToRest();
    expect(await on.value(trigger)).toBeGreaterThan(0);
  });
});

/** The subjects of all subscriptions that clients have at the server. */
async function subscriptions(monitoring: string): Promise<string[]> {
  const answer = await fetch(`${monitoring}/connz?subs=1`);
  const said = (await answer.json()) as { connections: { subscriptions_list?: string[]; name?: string }[] };
  return said.connections.flatMap(({ subscriptions_list = [] }) => subscriptions_list);
}
