import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, rounds } from '../fault.ts';

/** KEDA dials again after a second at first, and opens a stream again after two. */
const dialMs = 6000;
/** A new pod reads the log and GitHub before it answers for them. */
const replayMs = 3000;

export const killOneOfThree: Fault = {
  name: 'kill-one-of-three',
  about:
    'kill -9 of one of three pods, which share their events by NATS, in the middle of a burst: calls may fail for 1 s',
  seconds: 25,
  scene: () => ({ pods: 3, nats: 1, kafka: { topics: 2 }, sqs: 1, events: 3, github: 1, failForMs: 1000 }),
  run(stage, seconds) {
    const podOf = (round: number) => stage.pods[round % stage.pods.length] ?? stage.pod;
    return rounds(stage, {
      seconds,
      brokenSeconds: 3,
      graceMs: dialMs + replayMs,
      async break(round, traffic) {
        void traffic.burst(20);
        await sleep(stage.random() * 30);
        await podOf(round).kill();
      },
      heal: (round) => podOf(round).start(),
    });
  },
};
