import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { natsConfig } from '../../../src/sources/nats/config.ts';
import { itemsOf, type NatsSnapshot } from '../../../src/sources/nats/rules/snapshot.ts';
import { connect, type NatsNeed, type NatsSource } from '../../../src/sources/nats/upstream/connection.ts';
import type { Subject, Watch } from '../../../src/sources/source.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { unmeasured } from '../../support/connection-deps.ts';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { useNats } from '../../support/nats/server.ts';

describe('a watch is armed from where the snapshot ends', () => {
  const nats = useNats();
  let user: JetStreamUser;
  let source: NatsSource;
  beforeAll(async () => {
    user = await JetStreamUser.connect(nats().urls);
    source = connect(natsConfig.parse({ servers: [...nats().urls] }), {
      log: silentLogger,
      metrics: unmeasured,
    });
  });
  afterAll(() => Promise.all([user.close(), source.close()]));

  async function subjectOf(consumer: { stream: string; consumer: string }): Promise<Subject<NatsNeed>> {
    const { key, need } = source.subject(consumer);
    return { key, needs: [need] };
  }

  async function read(subject: Subject<NatsNeed>): Promise<NatsSnapshot> {
    const results: ({ snapshot: NatsSnapshot } | ScalerError)[] = [];
    await source.read([subject], (_, result) => results.push(result), new AbortController().signal);
    const [result] = results;
    if (result === undefined || result instanceof ScalerError) throw result ?? new Error('nothing came');
    return result.snapshot;
  }

  /** A watch from that snapshot, and the causes of its wakes. */
  function armed(subject: Subject<NatsNeed>, from: NatsSnapshot): { watch: Watch; wakes: string[] } {
    const wakes: string[] = [];
    const watch = source.arm(subject, from, (cause) => wakes.push(cause));
    onTestFinished(() => watch.close());
    return { watch, wakes };
  }

  it('so a message between them wakes', async () => {
    const subject = await subjectOf(await user.stream());
    const from = await read(subject);
    await user.publish(`${subject.needs[0]?.stream}.a`);
    const { watch, wakes } = armed(subject, from);
    expect(watch.state).toBe('arming');
    await expect.poll(() => wakes).toEqual(['message']);
    expect(watch.state).toBe('refused');
    expect(itemsOf(await read(subject))).toBe(1);
  });

  it('and so does one that came and was handled between them, because more may come', async () => {
    const consumer = await user.stream();
    const subject = await subjectOf(consumer);
    const from = await read(subject);
    await user.publish(`${consumer.stream}.a`);
    await user.take(consumer, 1);
    const { wakes } = armed(subject, from);
    await expect.poll(() => wakes).toEqual(['message']);
  });

  it('is armed by a read a second later, and not before, and wakes once', async () => {
    const consumer = await user.stream();
    const subject = await subjectOf(consumer);
    const { watch, wakes } = armed(subject, await read(subject));
    await read(subject);
    expect(watch.state).toBe('arming');
    await sleep(1_200);
    expect(watch.state).toBe('arming');
    await read(subject);
    expect(watch.state).toBe('armed');
    expect(wakes).toEqual([]);
    await user.publish(`${consumer.stream}.a`, 3);
    await expect.poll(() => wakes).toEqual(['message']);
    // The read after it waits until the stream has the message.
    expect(itemsOf(await read(subject))).toBeGreaterThan(0);
    expect(wakes).toEqual(['message']);
  });

  it('wakes nothing when it is closed', async () => {
    const consumer = await user.stream();
    const subject = await subjectOf(consumer);
    const { watch, wakes } = armed(subject, await read(subject));
    watch.close();
    await user.publish(`${consumer.stream}.a`);
    await read(subject);
    expect([watch.state, wakes]).toEqual(['refused', []]);
  });

  it('hints name the stream, for all its consumers, or the consumer', () => {
    const { hintNames } = source.subject({ stream: 'orders', consumer: 'worker' });
    expect(hintNames).toEqual(['orders', 'orders.worker']);
  });
});
