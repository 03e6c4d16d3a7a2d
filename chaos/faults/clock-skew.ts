import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, rounds } from '../fault.ts';
import { sweepSeconds } from '../places/github.ts';

const module = new URL('../clock-skew.mjs', import.meta.url);
const hourMs = 3_600_000;
const jumpMs = 3000;

export const clockSkew: Fault = {
  name: 'clock-skew',
  about: "the pod's wall clock jumps by an hour, and two back; then it starts with one that is an hour ahead",
  seconds: 25,
  scene: () => ({ kafka: { topics: 2 }, sqs: 1, github: 2, events: 2, preload: [module.href] }),
  run: (stage, seconds) =>
    rounds(stage, {
      seconds,
      brokenSeconds: 2,
      graceMs: 6000 + 2 * sweepSeconds * 1000,
      async break() {
        const { pod } = stage;
        for (const skewMs of [hourMs, -hourMs]) {
          pod.process.tell({ skewMs });
          await sleep(jumpMs);
        }
        await pod.stop();
        const ahead = new URL(module);
        ahead.searchParams.set('skewMs', String(hourMs));
        await pod.start({ preload: [ahead.href] });
      },
      heal: () => stage.pod.process.tell({ skewMs: 0 }),
    }),
};
