import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, rounds } from '../fault.ts';
import { leaderOf } from '../nats-stream.ts';
import { sweepSeconds } from '../places/github.ts';
import { stream } from '../stage.ts';

/** A client of NATS dials again every second or two, and then sends what it has kept. */
const graceMs = 5000;
/** Longer than a reading may be old, so that in the end a pod may not answer from what it knew. */
const brokenSeconds = 10;

export const killNats: Fault = {
  name: 'kill-nats',
  about: 'kill -9 of the only NATS server in the middle of a burst; it starts again on its disk',
  seconds: 25,
  scene: () => ({ pods: 3, nats: 1, kafka: { topics: 1 }, events: 3, github: 1 }),
  run(stage, seconds) {
    const nats = stage.theNats;
    return rounds(stage, {
      seconds,
      brokenSeconds,
      graceMs: graceMs + 2 * sweepSeconds * 1000,
      async break(_, traffic) {
        void traffic.burst(20);
        await sleep(stage.random() * 30);
        await nats.server('n1').kill();
      },
      heal: () => nats.restart('n1'),
    });
  },
};

export const killOneNats: Fault = {
  name: 'kill-one-nats',
  about: 'kill -9 of the one of three NATS servers that leads the event log; it starts again',
  seconds: 25,
  scene: () => ({ pods: 3, nats: 3, events: 3, github: 1, failForMs: 1000 }),
  run(stage, seconds) {
    const nats = stage.theNats;
    let leader = '';
    return rounds(stage, {
      seconds,
      brokenSeconds: 6,
      graceMs: graceMs + sweepSeconds * 1000,
      async break(_, traffic) {
        leader = await leaderOf(nats.urls, stream);
        void traffic.burst(20);
        await nats.server(leader).kill();
      },
      heal: () => nats.restart(leader),
    });
  },
};

export const cutOff: Fault = {
  name: 'cut-off',
  about: 'one of three pods is cut off from NATS: nothing passes, nothing closes',
  seconds: 25,
  scene: () => ({ pods: 3, nats: 1, kafka: { topics: 1 }, events: 3, github: 1 }),
  run(stage, seconds) {
    const proxyOf = (round: number) => stage.natsProxies[round % stage.natsProxies.length];
    return rounds(stage, {
      seconds,
      brokenSeconds,
      graceMs: graceMs + 2 * sweepSeconds * 1000,
      async break(round, traffic) {
        proxyOf(round)?.become('silent');
        await traffic.burst(5);
      },
      heal: (round) => proxyOf(round)?.become('passing'),
    });
  },
};
