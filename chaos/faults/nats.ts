import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, rounds } from '../fault.ts';
import { elected, leaderOf } from '../nats-stream.ts';
import { sweepSeconds } from '../places/github.ts';
import { type Stage, stream } from '../stage.ts';

/** A client of NATS dials again every second or two, and then sends what it has kept. */
const graceMs = 5000;
/** Most elections of NATS take 4 to 9 s. A reading that is read by the clock is half as old at most when one begins. */
const eventStalenessSeconds = 12;
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
  scene: () => ({ pods: 3, nats: 3, events: 3, github: 1, failForMs: 1000, eventStalenessSeconds }),
  async run(stage, seconds) {
    const nats = stage.theNats;
    let leader = '';
    let election = Promise.resolve();
    let longestMs = 0;
    const times = await rounds(stage, {
      seconds,
      brokenSeconds: 6,
      graceMs: graceMs + sweepSeconds * 1000,
      async break(_, traffic) {
        leader = await leaderOf(nats.urls, stream);
        void traffic.burst(20);
        const left = nats.urls.filter((_url, index) => nats.servers[index]?.name !== leader);
        await nats.server(leader).kill();
        election = electing(stage, left).then((ms) => {
          longestMs = Math.max(longestMs, ms);
        });
      },
      async heal() {
        await nats.restart(leader);
        await election;
      },
    });
    const { excused } = stage.invariants.tally;
    const took = `${times}; the longest election took ${(longestMs / 1000).toFixed(1)} s`;
    return excused === 0 ? took : `${took}: ${excused} errors excused`;
  },
};

/**
 * Measures an election, in ms. Meanwhile some pods can neither write nor read the event log. What was empty can be woken by
 * an event, but not counted. Readings that were half as old as they may be when it began can become too old.
 */
async function electing(stage: Stage, servers: readonly string[]): Promise<number> {
  const beganMs = performance.now();
  const over = elected(servers, stream);
  const { invariants } = stage;
  invariants.excuse('numbers of what wakes');
  const staleAfter = sleep((eventStalenessSeconds * 1000) / 2, false);
  const isShort = await Promise.race([over.then(() => true), staleAfter]);
  if (!isShort) invariants.excuse('all');
  await over;
  invariants.excuse('nothing');
  return performance.now() - beganMs;
}

export const cutOff: Fault = {
  name: 'cut-off',
  about: 'one of three pods is cut off from NATS: nothing passes, nothing closes',
  seconds: 25,
  scene: () => ({ pods: 3, nats: 1, kafka: { topics: 1 }, events: 3, github: 1 }),
  run(stage, seconds) {
    let heal = (): void => {};
    return rounds(stage, {
      seconds,
      brokenSeconds,
      graceMs: graceMs + 2 * sweepSeconds * 1000,
      async break(round, traffic) {
        const index = round % stage.pods.length;
        const [mixed] = stage.backlogs.filter(({ subject }) => subject.name.startsWith('builds'));
        if (mixed === undefined) throw new Error('the scene has no work items');
        const letGo = await traffic.hold((backlog) => backlog === mixed);
        await mixed.grow(6);
        await sleep(mixed.subject.boundMs);
        heal = stage.cutOff(index);
        // Items of before end in the others, and new ones begin in this pod. Their sum is a number that never was.
        await stage.route(
          (each) => each !== index,
          () => mixed.empty(),
        );
        await stage.route(
          (each) => each === index,
          () => mixed.grow(3),
        );
        letGo();
        await traffic.burst(5);
      },
      heal: () => heal(),
    });
  },
};
