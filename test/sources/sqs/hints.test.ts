import { describe, expect, it } from 'vitest';
import { longLived, onHintsOnly, SqsScene } from '../../support/sqs/scene.ts';
import { type Test, useSqs } from '../../support/sqs/use-sqs.ts';

/*
 * Every read in these tests is caused by a hint. By the clock, none comes before their end.
 */
describe('hints of SQS', () => {
  const sqs = useSqs('moto');

  async function idle(test: Test) {
    const scene = await SqsScene.start(test, sqs(), { connection: onHintsOnly });
    const { queues } = scene;
    const queue = await queues.create();
    const stream = scene.scaler.client.streamIsActive(scene.trigger(queue, longLived));
    expect(await stream.next()).toEqual({ result: false });
    return { scene, queues, queue, stream };
  }

  it('a hint: one read, and `true` on the stream', async (test) => {
    const { scene, queues, queue, stream } = await idle(test);
    await queues.send(queue, 1);
    const before = scene.reads(queue);
    expect(await scene.hint(queue)).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    expect(scene.reads(queue)).toBe(before + 1);
    await scene.becomes(queue, { number: 1, active: true }, longLived);
  });

  it.for(['url', 'path'] as const)(
    'finds a trigger that names its queue by its %s',
    async (spelling, test) => {
      const scene = await SqsScene.start(test, sqs(), { connection: onHintsOnly });
      const { queues } = scene;
      const queue = await queues.create();
      const spelt = { url: scene.url(queue), path: queues.path(queue) }[spelling];
      const stream = scene.scaler.client.streamIsActive(scene.trigger(spelt, longLived));
      expect(await stream.next()).toEqual({ result: false });
      await queues.send(queue, 1);
      // By name, as in a rule of EventBridge, though the trigger has the URL.
      expect(await scene.hint(queue)).toBe(202);
      expect(await stream.next()).toEqual({ result: true });
    },
  );

  it('by the URL of the queue finds it too', async (test) => {
    const scene = await SqsScene.start(test, sqs(), { connection: onHintsOnly });
    const queue = await scene.queues.create();
    const stream = scene.scaler.client.streamIsActive(scene.trigger(scene.url(queue), longLived));
    expect(await stream.next()).toEqual({ result: false });
    await scene.queues.send(queue, 1);
    expect(await scene.hint(scene.url(queue))).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
  });

  it('without a subject wakes every queue of the connection', async (test) => {
    const { scene, queues, queue, stream } = await idle(test);
    const other = await queues.create();
    const second = scene.scaler.client.streamIsActive(scene.trigger(other, longLived));
    expect(await second.next()).toEqual({ result: false });
    await queues.send(queue, 1);
    await queues.send(other, 1);
    expect(await scene.hint('')).toBe(202);
    expect([await stream.next(), await second.next()]).toEqual([{ result: true }, { result: true }]);
  });

  it('that comes before the counts include the message is not lost: later reads follow', async (test) => {
    const { scene, queues, queue, stream } = await idle(test);
    await scene.proxy.lag(queue, 2000);
    await queues.send(queue, 1);
    const before = scene.reads(queue);
    expect(await scene.hint(queue)).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    // At once, after one second, and after three.
    expect(scene.reads(queue) - before).toBeGreaterThanOrEqual(3);
  });

  it('does not count for messages in flight: phantoms of these wake nothing', async (test) => {
    const { scene, queue, stream } = await idle(test);
    scene.proxy.phantom(queue, { notVisible: 1 });
    expect(await scene.hint(queue)).toBe(202);
    await scene.becomes(queue, { number: 1, active: false }, longLived);
    expect(stream.messages).toHaveLength(1);
  });

  it('needs a token, and one for this connection; one for an unwatched queue is accepted too', async (test) => {
    const { scene, queue } = await idle(test);
    expect(await scene.hint(queue, 'Bearer not-the-token-of-anybody')).toBe(401);
    expect(await scene.hint(queue, '')).toBe(401);
    expect(await scene.hint('a-queue-nobody-watches')).toBe(202);
    expect(scene.proxy.count({ queue: 'a-queue-nobody-watches' })).toBe(0);
  });

  it('a storm of 5,000 a second: at most one read a second, and the last one is not lost', async (test) => {
    const { scene, queues, queue, stream } = await idle(test);
    const before = scene.reads(queue);
    const startedMs = performance.now();
    const storm = await scene.storm(queue, { perSecond: 5000, seconds: 4 });
    // What a window allows, however long it took: one read at its start, and one for each second after it.
    const seconds = (performance.now() - startedMs) / 1000;
    expect(storm.taken).toBe(20_000);
    expect(scene.reads(queue) - before).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    expect(stream.messages).toHaveLength(1);
    // Only this last hint announces it.
    await queues.send(queue, 7);
    expect(await scene.hint(queue)).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
  });
});
