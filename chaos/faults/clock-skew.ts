import { type Fault, rounds } from '../fault.ts';
import { sweepSeconds } from '../places/github.ts';

const module = new URL('../clock-skew.mjs', import.meta.url);
const hourMs = 3_600_000;
const jumpsMs = [hourMs, -hourMs, 40 * 24 * hourMs];

export const clockSkew: Fault = {
  name: 'clock-skew',
  about:
    "the pod's wall clock jumps while it runs, by an hour, back, and by 40 days; then it starts with a wrong one",
  seconds: 60,
  scene: () => ({ kafka: { topics: 2 }, sqs: 1, github: 2, events: 2, preload: [module.href] }),
  run: (stage, seconds) =>
    rounds(stage, {
      seconds,
      brokenSeconds: 4,
      graceMs: 2 * sweepSeconds * 1000,
      break: (round) => stage.pod.process.tell({ skewMs: jumpsMs[round % jumpsMs.length] }),
      heal: () => stage.pod.process.tell({ skewMs: 0 }),
    }),
};
