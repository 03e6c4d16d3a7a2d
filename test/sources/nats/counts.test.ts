import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { type NatsTriggers, openNats } from '../../support/nats/nats-triggers.ts';
import { useNats } from '../../support/nats/server.ts';

describe('the number', () => {
  const nats = useNats();
  let user: JetStreamUser;
  beforeAll(async () => {
    user = await JetStreamUser.connect(nats().urls);
  });
  afterAll(() => user.close());
  const open = (): NatsTriggers => openNats({ servers: [...nats().urls] });

  it('is the messages not delivered, and those not acknowledged', async () => {
    const trigger = await user.stream();
    const on = open();
    await on.becomes(trigger, 0);
    await user.publish(`${trigger.stream}.a`, 7);
    await on.becomes(trigger, 7);
    await user.take(trigger, 3, 1);
    await on.becomes(trigger, 6);
    expect(on.status(trigger)?.detail).toEqual({ pending: 4, ackPending: 2, redelivered: 0 });
    await user.take(trigger, 4);
    await on.becomes(trigger, 2);
  });

  it('counts a redelivered message once', async () => {
    const trigger = await user.stream({}, { ack_wait: 200_000_000 });
    await user.publish(`${trigger.stream}.a`, 3);
    await user.take(trigger, 3, 0);
    await user.take(trigger, 3, 0);
    const on = open();
    await on.becomes(trigger, 3);
    expect(on.status(trigger)?.detail).toMatchObject({ pending: 0, ackPending: 3, redelivered: 3 });
  });

  it.each([
    ['one filter', { filter_subject: 'x' }, 2],
    ['several filters', { filter_subjects: ['x', 'y.*'] }, 5],
    ['none', {}, 9],
  ])('follows the filters: %s', async (_, filters, items) => {
    const name = user.name();
    const at = (subject: string) => `${name}.${subject}`;
    const { filter_subject: one, filter_subjects: several } = filters as {
      filter_subject?: string;
      filter_subjects?: string[];
    };
    const trigger = await user.stream(
      { name },
      { ...(one && { filter_subject: at(one) }), ...(several && { filter_subjects: several.map(at) }) },
    );
    await user.publish(at('x'), 2);
    await user.publish(at('y.a'), 3);
    await user.publish(at('z'), 4);
    await open().becomes(trigger, items);
  });

  it.each([
    ['a work queue', { retention: 'workqueue' }, {}],
    ['an interest stream', { retention: 'interest' }, {}],
    ['a push consumer', {}, { deliver_subject: 'nobody.listens' }],
    ['a consumer without acknowledgements', {}, { ack_policy: 'none' }],
    ['a memory stream', { storage: 'memory' }, {}],
    ['a paused consumer', {}, { pause_until: '2100-01-01T00:00:00Z' }],
  ] as const)('is that of %s', async (_, stream, consumer) => {
    const trigger = await user.stream(stream, consumer);
    await user.publish(`${trigger.stream}.a`, 4);
    await open().becomes(trigger, 4);
  });

  it('shows that a consumer is paused', async () => {
    const trigger = await user.stream({}, { pause_until: '2100-01-01T00:00:00Z' });
    const on = open();
    await on.becomes(trigger, 0);
    expect(on.status(trigger)?.detail).toMatchObject({ paused: true });
  });

  it('is that of a mirror, and of a stream with sources', async () => {
    const { stream: origin } = await user.stream();
    const mirror = await user.stream({ name: user.name('mirror'), mirror: { name: origin } });
    const sourced = await user.stream({ name: user.name('sourced'), sources: [{ name: origin }] });
    const on = open();
    await on.becomes(mirror, 0);
    await on.becomes(sourced, 0);
    await user.publish(`${origin}.a`, 5);
    await on.becomes(mirror, 5);
    await on.becomes(sourced, 5);
  });

  it.each([
    ['scheduled messages', { allow_msg_schedules: true }, 'it publishes scheduled messages itself'],
    [
      'delete markers',
      { allow_msg_ttl: true, subject_delete_marker_ttl: 60e9 },
      'it adds delete markers itself',
    ],
  ])('says why a stream with %s is not watched', async (_, stream, why) => {
    const trigger = await user.stream(stream);
    const on = open();
    await on.becomes(trigger, 0);
    expect(on.status(trigger)?.detail).toMatchObject({ notWatchedBecause: why });
  });

  it('is at most what max_ack_pending replicas can have', async () => {
    const trigger = await user.stream({}, { max_ack_pending: 2 });
    await user.publish(`${trigger.stream}.a`, 50);
    await open().becomes({ ...trigger, lagThreshold: '5' }, 10);
  });

  it.each([
    [
      'stream',
      { stream: 'nowhere', consumer: 'worker' },
      /^not_found: .*stream "nowhere", consumer "worker": .*no such stream/,
    ],
    ['consumer', { consumer: 'nobody' }, /^not_found: .*no such consumer: create it/],
  ])('for a missing %s is an error', async (_, wrong, error) => {
    const trigger = { ...(await user.stream()), ...wrong };
    await user.publish(trigger.stream === 'nowhere' ? 'orders-1.a' : `${trigger.stream}.a`);
    await open().refuses(trigger, error);
  });

  it('of a stream that is deleted and created again is never a zero in between', async () => {
    const trigger = await user.stream();
    await user.publish(`${trigger.stream}.a`, 3);
    const on = open();
    await on.becomes(trigger, 3);
    await user.manager.streams.delete(trigger.stream);
    await expect.poll(() => on.status(trigger)?.error).toMatch(/no such/);
    expect(await on.value(trigger)).toBe(3);
    await user.stream({ name: trigger.stream });
    await user.publish(`${trigger.stream}.a`, 2);
    await on.becomes(trigger, 2);
  });

  it('costs one request for each stream, and one for each consumer, for all triggers', async () => {
    const name = user.name();
    const one = await user.stream({ name });
    const two = await user.consumer(name, { durable_name: 'other' });
    const on = openNats({ servers: [...nats().urls], activeReadMs: 600_000 });
    const ask = (trigger: { stream: string; consumer: string }, at: number) =>
      on.value({ ...trigger, lagThreshold: String(1 + at) });
    await Promise.all(
      [one, two].flatMap((trigger) => Array.from({ length: 50 }, (_, at) => ask(trigger, at))),
    );
    expect(await on.requests('STREAM.INFO')).toBe(1);
    // Two each. The second belongs to the watch, and starts where the first ends.
    expect(await on.requests('CONSUMER.INFO')).toBeLessThanOrEqual(4);
  });
});
