import { expect, it } from 'vitest';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

it('a snapshot is evaluated once for each different question, not for each trigger', async () => {
  const service = new QueueService();
  service.queues.set('a', { visible: 7, inFlight: 0 });
  let evaluated = 0;
  const counting: typeof hintSource = {
    ...hintSource,
    evaluate(params, view) {
      evaluated += 1;
      return hintSource.evaluate(params, view);
    },
  };
  const live = new LiveTriggers([connectionOf('queues', counting, service)]);
  const ask = (name: string, perReplica: string) =>
    live.answer(referenceOf({ source: 'hinted', queue: 'a', perReplica }, name));
  const asked = Array.from({ length: 100 }, (_, i) => [
    ask(`a${i}`, '5'),
    ask(`b${i}`, ' 5 '),
    ask(`c${i}`, '6'),
  ]);
  expect((await Promise.all(asked.flat())).every((answer) => answer.kind === 'known')).toBe(true);
  expect(service.readsOf('a')).toBe(1);
  expect(evaluated).toBe(2);
  await live.close();
});
