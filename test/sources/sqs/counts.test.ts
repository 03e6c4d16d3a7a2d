import { describe, expect, it } from 'vitest';
import { eager, longLived, onHintsOnly, SqsScene, shortLived } from '../../support/sqs/scene.ts';
import type { SqsKind } from '../../support/sqs/use-sqs.ts';
import { type Test, useSqs } from '../../support/sqs/use-sqs.ts';

/** The same queue, as KEDA's three settings count it. */
const ways = [{}, { scaleOnInFlight: 'false' }, { scaleOnDelayed: 'true' }];

describe.concurrent.each<SqsKind>(['moto', 'elasticmq'])(
  'counts of queues: %s',
  { timeout: 90_000 },
  (kind) => {
    const sqs = useSqs(kind);

    async function scene(test: Test, { visibilitySeconds = 600, connection = eager } = {}) {
      const started = await SqsScene.start(test, sqs(), { connection });
      const { queues } = started;
      const queue = await queues.create(queues.name(), { visibilitySeconds });
      /** The counts: visible and in flight, only visible, and all. */
      const counted = async (...numbers: readonly [number, number, number]) => {
        for (const [index, number] of numbers.entries())
          await started.becomes(queue, { number }, ways[index]);
      };
      return { started, queues, queue, counted };
    }

    it('follow messages through sending, receiving, deleting, delay and return', async (test) => {
      const { started, queues, queue, counted } = await scene(test);
      await counted(0, 0, 0);
      await queues.send(queue, 1);
      await counted(1, 1, 1);
      await queues.send(queue, 13);
      await counted(14, 14, 14);
      await queues.send(queue, 2, { delaySeconds: 600 });
      await counted(14, 14, 16);
      await queues.remove(queue);
      await queues.create(queue);
      await counted(0, 0, 0);
      await queues.send(queue, 10);
      const taken = await queues.receive(queue, 4);
      await counted(10, 6, 10);
      await queues.delete(queue, taken.slice(0, 3));
      await counted(7, 6, 7);
      await queues.send(queue, 1, { delaySeconds: 600 });
      await counted(7, 6, 8);
      const rest = await queues.receive(queue, 10);
      await counted(7, 0, 8);
      await queues.delete(queue, rest);
      await counted(1, 0, 2);
      await queues.delete(queue, taken.slice(3));
      await counted(0, 0, 1);
      await queues.send(queue, 2, { delaySeconds: 2 });
      await counted(2, 2, 3);
      await queues.receive(queue, 2);
      await counted(2, 0, 3);
      expect(started.proxy.count({ operation: 'ReceiveMessage' })).toBe(0);
    });

    it('include messages that a consumer did not finish', async (test) => {
      const { queues, queue, counted } = await scene(test, { visibilitySeconds: 3 });
      await queues.send(queue, 3);
      await queues.receive(queue, 3);
      await counted(3, 0, 3);
      await counted(3, 3, 3);
    });

    it('are the same by a queue’s URL, path and name', async (test) => {
      const { started, queues } = await scene(test, { connection: onHintsOnly });
      const queue = await queues.create();
      const spellings = [started.url(queue), queues.path(queue), queue];
      for (const spelling of spellings) await started.becomes(spelling, { number: 0 }, longLived);
      // The account of a name is looked up once. Then it is the same subject.
      expect(started.reads(queue)).toBe(1);
      expect(started.proxy.count({ operation: 'GetQueueUrl', queue })).toBe(1);
      const names = spellings.map(async (spelling) => {
        const { metricSpecs } = await started.scaler.client.getMetricSpec(started.trigger(spelling));
        return metricSpecs[0]?.metricName;
      });
      expect(new Set(await Promise.all(names))).toEqual(new Set([`sqs-${queue}`]));
    });

    it('of a FIFO queue mean no more work than message groups', async (test) => {
      const { started, queues } = await scene(test);
      const queue = await queues.create(`${queues.name()}.fifo`);
      for (const group of ['a', 'b']) await queues.send(queue, 20, { group });
      await started.becomes(queue, { number: 40, active: true });
      const bounded = { maxConcurrency: '2', queueLength: '1' };
      await started.becomes(queue, { number: 2, active: true }, bounded);
      await started.becomes(queue, { number: 10, active: true }, { maxConcurrency: '2' });
      await started.becomes(queue, { number: 40, active: true }, { maxConcurrency: '100' });
    });

    it('of a missing queue are not zero, and come when it is created', async (test) => {
      const { started, queues } = await scene(test);
      const queue = queues.name('later');
      await started.becomesUnknown(queue, 'NOT_FOUND', new RegExp(queue), shortLived);
      await queues.create(queue);
      await queues.send(queue, 1);
      await started.becomes(queue, { number: 1, active: true }, shortLived);
      await queues.remove(queue);
      await started.becomesUnknown(queue, 'NOT_FOUND', new RegExp(queue), shortLived);
    });
  },
);
