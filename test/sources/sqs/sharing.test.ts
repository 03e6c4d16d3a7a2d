import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ask } from '../../support/github-keda.ts';
import { eager, eventually, SqsScene } from '../../support/sqs/scene.ts';
import { useSqs } from '../../support/sqs/use-sqs.ts';

const windowSeconds = 5;

describe('ScaledObjects that share queues', () => {
  const sqs = useSqs('moto');

  it('a hundred on ten queues cost as much as ten, however often KEDA polls', async (test) => {
    const scene = await SqsScene.start(test, sqs(), { connection: eager });
    const { queues, proxy } = scene;
    const names = await Promise.all(Array.from({ length: 10 }, () => queues.create()));
    const triggers = names.flatMap((queue) =>
      Array.from({ length: 10 }, (_, index) => scene.trigger(queue, { queueLength: String(index + 1) })),
    );
    const { client } = scene.scaler;
    await Promise.all(triggers.map((trigger) => ask(client, trigger)));
    const streams = triggers.map((trigger) => client.streamIsActive(trigger));
    await Promise.all(streams.map((stream) => stream.next()));

    // A name costs one GetQueueUrl, once.
    expect(proxy.count({ operation: 'GetQueueUrl' })).toBe(10);
    const before = proxy.count();
    const startedMs = performance.now();
    while (performance.now() - startedMs < windowSeconds * 1000) {
      await Promise.all(triggers.map((trigger) => ask(client, trigger)));
      await sleep(100);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const during = proxy.count() - before;
    expect(during).toBeGreaterThanOrEqual(10 * Math.floor(seconds - 2));
    expect(during).toBeLessThanOrEqual(10 * (Math.ceil(seconds) + 1));
    expect(proxy.count({ operation: 'GetQueueUrl' })).toBe(10);

    const [woken = ''] = names;
    await queues.send(woken, 12);
    expect(await scene.hint(woken)).toBe(202);
    const told = await Promise.all(streams.slice(0, 10).map((stream) => stream.next()));
    expect(told).toEqual(Array.from({ length: 10 }, () => ({ result: true })));
    await eventually(async () => {
      for (const trigger of triggers.slice(0, 10))
        expect(await ask(client, trigger)).toEqual({ number: 12, active: true });
    });
    expect(streams.slice(10).filter(({ messages }) => messages.length !== 1)).toEqual([]);
  });
});
