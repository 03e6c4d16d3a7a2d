import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, rounds } from '../fault.ts';

/** KEDA dials again after a second at first, and opens a stream again after two. */
const dialMs = 6000;

export const killOneOfThree: Fault = {
  name: 'kill-one-of-three',
  about: 'kill -9 of one of three pods in the middle of a burst: calls may fail for 1 s',
  seconds: 40,
  scene: () => ({ pods: 3, kafka: { topics: 3 }, sqs: 2, failForMs: 1000 }),
  run(stage, seconds) {
    const podOf = (round: number) => stage.pods[round % stage.pods.length] ?? stage.pod;
    return rounds(stage, {
      seconds,
      brokenSeconds: 3,
      graceMs: dialMs,
      async break(round, traffic) {
        void traffic.burst(20);
        await sleep(stage.random() * 30);
        await podOf(round).kill();
      },
      heal: (round) => podOf(round).start(),
    });
  },
};
