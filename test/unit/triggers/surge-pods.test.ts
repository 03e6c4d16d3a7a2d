import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Hpa, pass } from '../../support/hpa.ts';
import { levelSource, type Tanks } from '../../support/level-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';
import { PodsTalk } from '../../support/pods-talk.ts';
import { type RecordingLogger, recordingLogger } from '../../support/recording-logger.ts';

/** With ten liters for each replica, read every 50 ms by each pod. */
const reference = (name: string) => referenceOf({ source: 'level', tank: name }, name);
/** Chooses the pod of the next call. */
type Pick = (pods: number) => number;

interface Pod {
  readonly live: LiveTriggers;
  /** The tanks that this pod reads. */
  readonly tanks: Tanks;
  readonly log: RecordingLogger;
}

let pods: Pod[];
let hpas: Hpa[];

/** Starts pods, with or without news between them. */
function start(count: number, talk?: PodsTalk): void {
  for (let i = 0; i < count; i += 1) {
    const tanks: Tanks = new Map();
    const log = recordingLogger();
    const connections = [connectionOf('plant', levelSource, tanks)];
    const live = talk
      ? talk.join((others) => new LiveTriggers(connections, { log, pods: others }))
      : new LiveTriggers(connections, { log });
    pods.push({ live, tanks, log });
  }
}

function inTurn(first = 0): Pick {
  let calls = first - 1;
  return (count) => {
    calls += 1;
    return calls % count;
  };
}

/** Opens streams at these pods. `pick` chooses the pod of each call. */
function hpaOf(name: string, pick: Pick, streams: readonly number[] = [], replicas = 0): Hpa {
  const opened = [...streams];
  const next = () => opened.shift() ?? pick(pods.length);
  const live = pods.map((pod) => pod.live);
  const hpa = new Hpa(live, reference(name), replicas, { pick: next });
  hpas.push(hpa);
  return hpa;
}

function fill(name: string, level: number): void {
  for (const { tanks } of pods) tanks.set(name, level);
}

/** KEDA polls until it has called every pod. */
async function poll(hpa: Hpa): Promise<void> {
  for (let i = 0; i < 2 * pods.length; i += 1) {
    await hpa.look();
    await pass(15_000);
  }
}

const warnings = () => pods.flatMap(({ log }) => log.messages('warn'));
const count = async (outcome: string) => {
  const all = await Promise.all(pods.map(({ live }) => live.metrics.nudges.get()));
  const of = all.flatMap(({ values }) => values).filter(({ labels }) => labels.outcome === outcome);
  return of.reduce((sum, { value }) => sum + value, 0);
};

async function end(): Promise<void> {
  for (const hpa of hpas) hpa.end();
  for (const { live } of pods) await live.close();
  await pass(60_000);
  pods = [];
  hpas = [];
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  pods = [];
  hpas = [];
});

afterEach(async () => {
  await end();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('pods that hear each other', () => {
  it.each([
    ['one pod', 1, [0, 0]],
    ['two, both streams at one', 2, [0, 0]],
    ['two, a stream at each', 2, [0, 1]],
    ['three, both streams at one', 3, [1, 1]],
    ['three, the streams at two', 3, [2, 0]],
  ])('%s: all replicas are there after as many nudges, and as fast', async (_, number, streams) => {
    for (const first of [0, 1, 2]) {
      start(number, new PodsTalk());
      const hpa = hpaOf('worker', inTurn(first), streams);
      await pass(100);
      await poll(hpa);
      fill('worker', 200);
      await pass(500);
      expect(hpa.replicas).toBe(20);
      expect(hpa.said).toEqual([10, 10.001, 10.002, 10.001, 10.002, 10]);
      expect([await count('answered'), await count('unanswered')]).toEqual([4, 0]);
      await end();
    }
  });

  it('a running workload grows as fast, whichever pod answered the HPA before', async () => {
    start(3, new PodsTalk());
    fill('worker', 10);
    const hpa = hpaOf('worker', inTurn(), [0, 1], 1);
    await pass(100);
    await hpa.look();
    await pass(100);
    fill('worker', 200);
    await pass(500);
    expect(hpa.replicas).toBe(20);
    expect(hpa.target).toBe(10);
  });

  it('nothing is sent while nothing changes', async () => {
    const talk = new PodsTalk();
    start(3, talk);
    fill('worker', 30);
    const hpa = hpaOf('worker', inTurn(), [0, 0], 3);
    await pass(100);
    await poll(hpa);
    talk.told.length = 0;
    await poll(hpa);
    expect(talk.told).toEqual([]);
  });

  it('a pod that reads the growth a second later does not use up the nudges', async () => {
    start(3, new PodsTalk());
    fill('worker', 10);
    const hpa = hpaOf('worker', inTurn(), [0, 0], 1);
    await pass(100);
    await poll(hpa);
    pods[0]?.tanks.set('worker', 200);
    await pass(900);
    fill('worker', 200);
    await pass(2_500);
    expect(hpa.replicas).toBe(20);
    expect(hpa.said.length).toBeLessThanOrEqual(10);
    expect(hpa.target).toBe(10);
  });

  it('an HPA that never looks at a nudge is still suspected, because news of its other looks arrive', async () => {
    start(2, new PodsTalk());
    const names = ['a', 'b', 'c', 'd'];
    // KEDA calls the other pod for metrics, always.
    const all = names.map((name) => hpaOf(name, inTurn(), [1, 1]));
    for (const hpa of all) hpa.looksAtOnce = false;
    for (const [i, hpa] of all.entries()) {
      await poll(hpa);
      fill(names[i] ?? '', 200);
      await pass(10_000);
      await hpa.look();
    }
    await pass(10_000);
    expect(warnings()).toEqual([expect.stringMatching(/^HPAs do not look/)]);
  });

  it('news can only cause or end a nudge', async () => {
    start(1);
    const hpa = hpaOf('worker', inTurn(), [0, 0]);
    await pass(100);
    await hpa.look();
    fill('worker', 200);
    const [{ live }] = pods as [Pod];
    const { id } = live.trigger(reference('worker'));
    for (let i = 0; i < 10_000; i += 1) {
      for (const one of [id, 'unknown']) {
        live.triggers.hear({ kind: 'pushed', id: one });
        live.triggers.hear({ kind: 'nudged', id: one });
        live.triggers.hear({ kind: 'looked', id: one, value: i % 2 === 0 ? 9e15 : 0 });
      }
      if (i % 100 === 0) await pass(100);
    }
    expect(hpa.said.filter((target) => target !== 10).length).toBeLessThanOrEqual(24);
    await pass(120_000);
    await hpa.look();
    await pass(10_000);
    expect(hpa.target).toBe(10);
    expect(live.statuses()).toMatchObject([{ id, value: 200, desired: 20 }]);
  });
});

describe('pods that cannot hear each other', () => {
  /**
   * Every look is answered elsewhere. KEDA requests metrics and activity in turn, so metrics always come to the same
   * pod.
   */
  const elsewhere: Pick = inTurn();

  it.each([
    ['both streams at the pod that is asked for no metrics', [1, 1]],
    ['streams apart', [0, 1]],
  ])(
    '%s: growth takes some seconds, nobody is suspected, and nothing rests for longer than a minute',
    async (_, streams) => {
      start(2);
      const names = ['a', 'b', 'c', 'd', 'e'];
      const all = names.map((name) => hpaOf(name, elsewhere, streams));
      await pass(100);
      for (const hpa of all) await poll(hpa);
      for (const level of [200, 0, 200]) {
        for (const name of names) {
          fill(name, level);
          await pass(10_000);
        }
        await pass(70_000);
        if (level > 0) expect(all.map(({ replicas }) => replicas)).toEqual([20, 20, 20, 20, 20]);
        for (const hpa of all) hpa.replicas = level === 0 ? 0 : hpa.replicas;
        for (const hpa of all) await poll(hpa);
      }
      expect(warnings()).toEqual([]);
      expect([await count('unanswered')]).toEqual([0]);
      expect(all.map(({ target }) => target)).toEqual([10, 10, 10, 10, 10]);
      expect(pods.flatMap(({ log }) => log.messages('info'))).toEqual([
        expect.stringMatching(/^KEDA asks other pods of this scaler.* needs eventLog\.type nats$/),
      ]);
    },
  );
});

it('whatever is lost or late, and whichever pod is called, nudges are bounded, the end is exact, and nobody is suspected', async () => {
  const settings = fc.record({
    number: fc.integer({ min: 1, max: 3 }),
    talks: fc.boolean(),
    lossPercent: fc.constantFrom(0, 30, 100),
    delayMs: fc.constantFrom(1, 30, 1_500),
    calls: fc.array(fc.nat(2), { minLength: 12, maxLength: 12 }),
    losses: fc.array(fc.nat(99), { minLength: 7, maxLength: 7 }),
    levels: fc.array(fc.constantFrom(0, 10, 45, 200, 700), { minLength: 1, maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(settings, async ({ number, talks, lossPercent, delayMs, calls, losses, levels }) => {
      const cycle = <T>(values: readonly T[]) => {
        let at = -1;
        return () => {
          at = (at + 1) % values.length;
          return values[at] as T;
        };
      };
      const loss = cycle(losses);
      const talk = new PodsTalk({ delayMs: () => delayMs, lost: () => loss() < lossPercent });
      start(number, talks ? talk : undefined);
      const call = cycle(calls);
      const all = ['a', 'b', 'c'].map((name) => hpaOf(name, (pod) => call() % pod));
      const saidAt = new Map(all.map((hpa) => [hpa, 0]));
      await pass(100);
      for (const hpa of all) await poll(hpa);
      for (const level of levels) {
        for (const name of ['a', 'b', 'c']) fill(name, level);
        for (let i = 0; i < 4; i += 1) {
          await pass(15_000);
          for (const hpa of all) await hpa.look();
        }
        for (const hpa of all) {
          // The bound of a minute, which may begin in the middle, and the ends of surges.
          expect(hpa.said.length - (saidAt.get(hpa) ?? 0)).toBeLessThanOrEqual(2 * 12 + 6);
          saidAt.set(hpa, hpa.said.length);
        }
      }
      for (const name of ['a', 'b', 'c']) fill(name, 0);
      await pass(180_000);
      for (const hpa of all) expect(hpa.target).toBe(10);
      for (const { live } of pods) expect(live.triggers.nudges.waiting).toBe(0);
      expect(warnings()).toEqual([]);
      await end();
    }),
    { numRuns: 6 },
  );
});
