import { describe, expect, it } from 'vitest';
import { eager, eventually, SqsScene } from '../../support/sqs/scene.ts';
import type { SqsKind } from '../../support/sqs/use-sqs.ts';
import { type Test, useSqs } from '../../support/sqs/use-sqs.ts';

describe.concurrent.each<SqsKind>(['moto', 'elasticmq'])(
  'activity of queues: %s',
  { timeout: 90_000 },
  (kind) => {
    const sqs = useSqs(kind);

    async function idle(test: Test) {
      const scene = await SqsScene.start(test, sqs(), { connection: eager });
      const { queues, proxy } = scene;
      const queue = await queues.create();
      await scene.becomes(queue, { number: 0, active: false });
      const stream = scene.scaler.client.streamIsActive(scene.trigger(queue));
      expect(await stream.next()).toEqual({ result: false });
      /** Resolves when this many more reads have been answered. */
      const readAgain = async (reads: number) => {
        const before = scene.reads(queue);
        await eventually(() => expect(scene.reads(queue)).toBeGreaterThanOrEqual(before + reads + 1));
      };
      return { scene, queues, proxy, queue, stream, readAgain };
    }

    it('from the first message to the last: in flight it stays active, deleted it is not', async (test) => {
      const { scene, queues, queue, stream } = await idle(test);
      await queues.send(queue, 1);
      expect(await stream.next()).toEqual({ result: true });
      const polling = scene.poll(test, queue);
      const handles = await queues.receive(queue);
      await eventually(async () => expect((await scene.ask(queue)).number).toBe(1));
      expect((await polling.stop()).filter(({ active }) => active !== true)).toEqual([]);
      await queues.delete(queue, handles);
      await scene.becomes(queue, { number: 0, active: false });
    });

    it('a phantom of one read, without a hint, wakes nothing; messages that stay do', async (test) => {
      const { scene, queues, proxy, queue, stream, readAgain } = await idle(test);
      proxy.phantom(queue, { visible: 1 }, 1);
      await readAgain(3);
      proxy.phantom(queue, { notVisible: 2 }, 3);
      await readAgain(4);
      expect(stream.messages).toHaveLength(1);
      await queues.send(queue, 1);
      expect(await stream.next()).toEqual({ result: true });
      await scene.becomes(queue, { number: 1, active: true });
    });

    it('counts that read zero once do not remove the workload', async (test) => {
      const { scene, queues, proxy, queue, stream, readAgain } = await idle(test);
      await queues.send(queue, 1);
      expect(await stream.next()).toEqual({ result: true });
      const polling = scene.poll(test, queue);
      proxy.phantom(queue, { visible: -1 }, 1);
      await readAgain(3);
      expect((await polling.stop()).filter(({ active }) => active !== true)).toEqual([]);
    });

    it('after a restart, messages in flight are work', async (test) => {
      const { scene, queues, queue } = await idle(test);
      await queues.send(queue, 2);
      await queues.receive(queue, 2);
      await scene.restart();
      await scene.becomes(queue, { number: 2, active: true });
      const stream = scene.scaler.client.streamIsActive(scene.trigger(queue));
      expect(await stream.next()).toEqual({ result: true });
    });

    it('needs more messages than activationQueueLength', async (test) => {
      const { scene, queues, queue } = await idle(test);
      const metadata = { activationQueueLength: '3' };
      await queues.send(queue, 3);
      await scene.becomes(queue, { number: 3, active: false }, metadata);
      await queues.send(queue, 1);
      await scene.becomes(queue, { number: 4, active: true }, metadata);
    });
  },
);
