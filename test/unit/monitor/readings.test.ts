import { expect, it } from 'vitest';
import { Readings } from '../../../src/monitor/readings.ts';
import { boardOf, connectionOf, referenceOf } from '../../support/board.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';

it('a snapshot is evaluated once for each different question, not for each trigger', async () => {
  const { board } = boardOf([connectionOf('queues', hintSource, new QueueService())]);
  const trigger = (name: string, perReplica: string) =>
    board.trigger(referenceOf({ source: 'hinted', queue: 'a', perReplica }, name));
  let evaluated = 0;
  const counting: typeof hintSource = {
    ...hintSource,
    evaluate(params, view) {
      evaluated += 1;
      return hintSource.evaluate(params, view);
    },
  };
  const snapshot = { visible: 0, inFlight: 4 };
  const view = { snapshot, history: undefined, nowMs: 0, takenAtMs: 0, lastHintAtMs: undefined };
  const readings = new Readings(counting, view);
  for (let i = 0; i < 100; i += 1) {
    expect(readings.of(trigger(`w${i}`, '5'), true)).toMatchObject({ active: true });
    expect(readings.of(trigger(`w${i}`, '5'), false)).toMatchObject({ active: false });
    readings.of(trigger(`w${i}`, ' 5 '), false);
    readings.of(trigger(`w${i}`, '6'), false);
  }
  expect(evaluated).toBe(3);
  await board.close();
});
