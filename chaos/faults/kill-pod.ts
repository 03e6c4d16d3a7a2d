import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, rounds } from '../fault.ts';
import { sweepSeconds } from '../places/github.ts';

/** KEDA dials again after a second at first, and opens a stream again after two. */
const dialMs = 6000;

export const killPod: Fault = {
  name: 'kill-pod',
  about: 'kill -9 of the one pod in the middle of a burst; it starts again on its disk',
  seconds: 25,
  scene: () => ({ kafka: { topics: 2 }, sqs: 1, github: 2, events: 2 }),
  run: (stage, seconds) =>
    rounds(stage, {
      seconds,
      brokenSeconds: 1,
      graceMs: dialMs + 2 * sweepSeconds * 1000,
      async break(_, traffic) {
        // Senders of events retry until the next process takes them.
        void traffic.burst(20);
        await sleep(stage.random() * 30);
        await stage.pod.kill();
      },
      heal: () => stage.pod.start(),
    }),
};
