import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { ConfiguredConnection } from '../../../src/sources/source.ts';
import type { Decision } from '../../../src/triggers/decision.ts';
import { type Delays, Hpa, pass } from '../../support/hpa.ts';
import { levelSource, type Tanks } from '../../support/level-source.ts';
import { connectionOf, type LiveOptions, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

let tanks: Tanks;
let live: LiveTriggers;
let hpas: Hpa[];
let decisions: Decision[];

/** With ten liters for each replica, read every 50 ms. */
const reference = (name = 'worker', more: Record<string, string> = {}, namespace = 'shop') =>
  referenceOf({ source: 'level', tank: name, ...more }, name, namespace);

/** A source whose threshold can be set for all triggers. */
const source: typeof levelSource = {
  ...levelSource,
  target: (params, all) => {
    const target = levelSource.target(params, all);
    return { ...target, perReplica: all.get('threshold of all') ?? target.perReplica };
  },
};

const plant = (more: Partial<ConfiguredConnection> = {}) => [connectionOf('plant', source, tanks, more)];

function use(options: LiveOptions = {}): void {
  live = new LiveTriggers(plant(), {
    decided: (decision) => decisions.push(decision),
    ...options,
  });
}

async function hpaOf(one = reference(), replicas = 0, delays: Delays = {}): Promise<Hpa> {
  const hpa = new Hpa(live, one, replicas, delays);
  hpas.push(hpa);
  await pass(100);
  // KEDA polls at once.
  await hpa.look();
  return hpa;
}

async function nudges(): Promise<Record<string, number>> {
  const { values } = await live.metrics.nudges.get();
  return Object.fromEntries(
    values.filter(({ value }) => value > 0).map(({ labels, value }) => [String(labels.outcome), value]),
  );
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  tanks = new Map();
  hpas = [];
  decisions = [];
  use();
});

afterEach(async () => {
  for (const hpa of hpas) hpa.end();
  await live.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('a trigger that grows', () => {
  it('has all its replicas in a third of a second, and the exact target afterwards', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 200);
    await pass(500);
    expect(hpa.replicas).toBe(20);
    expect(hpa.pushed).toEqual([false, true]);
    expect(hpa.said).toEqual([10, 10.001, 10.002, 10.001, 10.002, 10]);
    expect(await nudges()).toEqual({ answered: 4, settled: 1 });
    const surged = decisions.filter(({ kind }) => kind === 'surged');
    expect(surged).toMatchObject([{ value: 200, cause: 'clock', surge: { from: 1, to: 20, nudges: 4 } }]);
    await pass(600_000);
    expect(hpa.said).toHaveLength(6);
  });

  it('just after its edge still waits for KEDA’s first replica', async () => {
    const hpa = await hpaOf(reference(), 0, { pushMs: 45 });
    tanks.set('worker', 10);
    // Read every 50 ms: first the edge, then the growth with the next reading.
    await pass(50);
    tanks.set('worker', 200);
    await pass(500);
    expect(hpa.replicas).toBe(20);
    expect(await nudges()).toEqual({ answered: 4, settled: 1 });
  });

  it('gets its edge, whatever the HPA saw while it was inactive', async () => {
    const one = reference('worker', { activation: '100' });
    tanks.set('worker', 100);
    const hpa = await hpaOf(one);
    expect(hpa.pushed).toEqual([false]);
    tanks.set('worker', 105);
    await pass(500);
    expect(hpa.replicas).toBe(11);
  });

  it('below its activation gets no nudge, which nobody would answer: KEDA keeps it at zero', async () => {
    const hpa = await hpaOf(reference('worker', { activation: '100' }));
    for (const value of [10, 30, 60, 90]) {
      tanks.set('worker', value);
      await pass(10_000);
      await hpa.look();
    }
    expect(hpa.said).toEqual([10]);
    tanks.set('worker', 200);
    await pass(500);
    expect(hpa.replicas).toBe(20);
  });

  it.each([
    ['by chance', 8, (second: number) => 30 + ((23 * second) % 51)],
    ['to nothing', 20, (second: number) => (second % 10 < 5 ? 0 : 200)],
  ])('and falls again and again, %s, is rarely nudged, since the HPA holds the most', async (_, most, at) => {
    const hpa = await hpaOf(reference(), 1);
    for (let second = 1; second <= 600; second += 1) {
      tanks.set('worker', at(second));
      await pass(1_000);
      if (second % 15 === 0) await hpa.look();
    }
    expect(hpa.replicas).toBe(most);
    // One surge a minute.
    expect(hpa.said.length).toBeLessThanOrEqual(60);
    expect(hpa.target).toBe(10);
  });

  it('needs no `true` while it runs', async () => {
    tanks.set('worker', 10);
    const hpa = await hpaOf(reference(), 1);
    tanks.set('worker', 200);
    await pass(400);
    expect(hpa.replicas).toBe(20);
    expect(hpa.pushed).toEqual([true]);
  });

  it('gets no nudge for one replica, within the tolerance, or when it falls', async () => {
    const hpa = await hpaOf();
    for (const value of [10, 0, 5]) {
      tanks.set('worker', value);
      await pass(10_000);
      await hpa.look();
    }
    tanks.set('worker', 200);
    await pass(1_000);
    const { length } = hpa.said;
    for (const value of [218, 100, 190, 40]) {
      tanks.set('worker', value);
      await pass(1_000);
    }
    expect(length).toBe(6);
    expect(hpa.said).toHaveLength(length);
  });

  it('is counted in a histogram: by a nudge, or by an earlier look of the HPA itself', async () => {
    const counts = async () => {
      const { values } = await live.metrics.growthTold.get();
      const all = values.filter(({ metricName }) => metricName?.endsWith('_count'));
      return Object.fromEntries(all.map(({ labels, value }) => [labels.by, value]));
    };
    const hpa = await hpaOf();
    tanks.set('worker', 40);
    await pass(500);
    expect(await counts()).toEqual({ nudge: 1 });
    const early = await hpaOf(reference('early'));
    tanks.set('early', 40);
    await pass(60);
    expect(early.pushed).toEqual([false, true]);
    await early.look();
    await pass(500);
    expect(await counts()).toEqual({ nudge: 1, clock: 1 });
    expect(early.said).toEqual([10]);
    expect(await nudges()).toEqual({ answered: 1, settled: 1, overtaken: 1 });
    expect(hpa.replicas).toBe(4);
  });
});

describe('a trigger under policy: drain that grows', () => {
  it('gets all replicas that the wait needs in a third of a second, headroom included', async () => {
    const drain = { policy: 'drain', drainSeconds: '60', replicaRate: '1', headroomReplicas: '2' };
    const hpa = await hpaOf(reference('worker', drain));
    await pass(20_000);
    tanks.set('worker', 1_080);
    await pass(500);
    expect(hpa.replicas).toBe(20);
    expect(hpa.said).toEqual([1, 1.001, 1.002, 1.001, 1.002, 1]);
  });
});

describe('nothing is nudged', () => {
  const grow = async (hpa: Hpa) => {
    tanks.set('worker', 200);
    await pass(5_000);
    expect(hpa.said).toEqual([10]);
    expect(hpa.pushed.at(-1)).toBe(true);
  };

  it.each([
    ['where the trigger says so', { surge: 'false' }, 'off'],
    ['where its target is too small', { threshold: '0.05' }, 'off'],
  ])('%s', async (_, more, surge) => {
    const hpa = await hpaOf(reference('worker', more));
    hpa.said[0] = 10;
    await grow(hpa);
    expect(live.statuses()).toMatchObject([{ surge }]);
  });

  it('where the configuration turns it off', async () => {
    await live.close();
    use({ surge: { enabled: false } });
    await grow(await hpaOf());
    expect(live.statuses()).toMatchObject([{ surge: 'off' }]);
  });

  it('of a trigger whose spec KEDA does not follow, and the log says once what that needs', async () => {
    await live.close();
    const log = recordingLogger();
    use({ log });
    const end = ['a', 'b'].map((name) => live.follow(reference(name)));
    await pass(100);
    for (const name of ['a', 'b']) {
      live.trigger(reference(name)).looked(0);
      tanks.set(name, 200);
    }
    await pass(5_000);
    expect(live.triggers.nudges.waiting).toBe(0);
    expect(live.statuses()).toMatchObject([{ surge: 'no stream' }, { surge: 'no stream' }]);
    expect(log.messages('info')).toEqual([expect.stringMatching(/^KEDA opens no StreamMetricSpec: .*2\.21/)]);
    for (const one of end) one();
  });

  it('of a trigger without a push stream, while KEDA has not opened StreamIsActive again, and no cluster is suspected', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const said: number[] = [];
    const end = names.map((name) =>
      live.trigger(reference(name)).followSpec(({ nudge = 0 }) => said.push(nudge)),
    );
    await pass(100);
    for (const name of names) tanks.set(name, 200);
    await pass(60_000);
    expect(said).toEqual([0, 0, 0, 0]);
    expect(live.statuses()).toMatchObject(names.map(() => ({ surge: 'no stream' })));
    for (const one of end) one();
    const hpa = await hpaOf();
    tanks.set('worker', 200);
    await pass(500);
    expect(hpa.replicas).toBe(20);
  });

  it('of a ScaledJob, and nothing is logged if KEDA follows the specs of others', async () => {
    await live.close();
    const log = recordingLogger();
    use({ log });
    await hpaOf(reference('other'));
    const end = live.follow(reference());
    await pass(100);
    tanks.set('worker', 200);
    await pass(5_000);
    expect(log.messages('info')).toEqual([]);
    end();
  });

  it('after a start of the scaler, of a workload that ran all the time', async () => {
    tanks.set('worker', 200);
    const hpa = new Hpa(live, reference(), 20);
    hpas.push(hpa);
    await pass(1_000);
    await hpa.look();
    await pass(5_000);
    expect(hpa.said).toEqual([10]);
  });

  it('of a reading that is only held because the source cannot be read', async () => {
    const hpa = await hpaOf();
    const failing = { ...levelSource, connect: () => failingConnection };
    live.use([connectionOf('plant', failing, tanks, { fingerprint: 'fails' })]);
    await pass(1_000);
    live.trigger(reference()).looked(0);
    await pass(1_000);
    expect(hpa.said).toEqual([10]);
    expect(live.triggers.nudges.waiting).toBe(0);
  });
});

const failingConnection: ReturnType<typeof levelSource.connect> = {
  subject: ({ tank }) => ({ key: tank, hintNames: [tank], need: undefined }),
  async read(subjects, deliver) {
    for (const { key } of subjects) deliver(key, new ScalerError('unavailable', 'the gauge is broken'));
  },
  close: async () => {},
};

describe('in the middle of a surge', () => {
  it('a backlog that falls to zero ends it with the exact target', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 2_000);
    await pass(170);
    expect(hpa.target).not.toBe(10);
    tanks.set('worker', 0);
    await pass(1_000);
    expect(hpa.target).toBe(10);
    expect(hpa.replicas).toBeLessThan(200);
    expect(live.statuses()).toMatchObject([{ surge: 'ready' }]);
  });

  it('a source that fails ends it with the exact target', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 2_000);
    await pass(170);
    const failing = { ...levelSource, connect: () => failingConnection };
    live.use([connectionOf('plant', failing, tanks, { fingerprint: 'fails' })]);
    await pass(1_000);
    expect(hpa.target).toBe(10);
    expect(hpa.replicas).toBeLessThan(200);
  });

  it('GetMetricSpec, and a stream that KEDA opens again, get the exact target', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 2_000);
    await pass(170);
    expect(hpa.target).not.toBe(10);
    expect(live.trigger(reference()).spec).not.toHaveProperty('nudge');
    const again = new Hpa(live, reference(), hpa.replicas);
    hpas.push(again);
    expect(again.said).toEqual([10]);
    hpa.end();
    await pass(2_000);
    expect(again.replicas).toBe(200);
    expect(again.target).toBe(10);
  });

  it('a stream that ends ends it, and its cost is counted', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 2_000);
    await pass(90);
    const said = hpa.said.length;
    hpa.endSpec();
    await pass(10_000);
    expect(hpa.said).toHaveLength(said);
    expect(live.triggers.nudges.waiting).toBe(0);
    expect(await nudges()).toEqual({ lost: 1 });
  });

  it('a configuration that changes the target is sent at once, and the surge continues with it', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 200);
    await pass(170);
    tanks.set('threshold of all', 5);
    live.use(plant({ fingerprint: 'halved' }));
    await pass(2_000);
    expect(hpa.replicas).toBe(40);
    expect(hpa.target).toBe(5);
    expect(hpa.said.indexOf(5)).toBeLessThan(hpa.said.length - 1);
  });

  it('a configuration that turns it off ends it with the exact target', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 2_000);
    await pass(170);
    live.use(plant(), {}, { enabled: false });
    await pass(1_000);
    expect(hpa.target).toBe(10);
    expect(hpa.replicas).toBeLessThan(200);
  });

  it('a reference that is refused ends it with the exact target', async () => {
    const hpa = await hpaOf();
    tanks.set('worker', 2_000);
    await pass(170);
    live.use(plant({ namespaces: ['bank'] }));
    await pass(1_000);
    expect(hpa.target).toBe(10);
  });

  it('a jump of the machine’s clock changes nothing', async () => {
    const hpa = await hpaOf();
    vi.spyOn(Date, 'now').mockReturnValue(0);
    tanks.set('worker', 200);
    await pass(500);
    vi.restoreAllMocks();
    expect(hpa.replicas).toBe(20);
  });
});

describe('where nudges do not work', () => {
  it('a scaleUp of one replica a minute gets no more nudges than the bound', async () => {
    tanks.set('worker', 10);
    const hpa = await hpaOf(reference(), 1);
    hpa.most = 1;
    tanks.set('worker', 200);
    await pass(10_000);
    expect(await nudges()).toEqual({ answered: 4, settled: 1 });
  });

  it('a trigger is left alone for a minute and then for an hour, but still pushed', async () => {
    const hpa = await hpaOf();
    hpa.looksAtOnce = false;
    const burst = async () => {
      tanks.set('worker', 0);
      await pass(1_000);
      const { length } = hpa.said;
      tanks.set('worker', 200);
      await pass(10_000);
      await hpa.look();
      return hpa.said.length - length;
    };
    expect(await burst()).toBe(5);
    expect(live.statuses()).toMatchObject([{ surge: 'left alone' }]);
    expect(await burst()).toBe(0);
    await pass(60_000);
    expect(await burst()).toBe(5);
    await pass(3_000_000);
    expect(await burst()).toBe(0);
    await pass(600_000);
    hpa.looksAtOnce = true;
    expect(await burst()).toBeGreaterThan(0);
    expect(hpa.pushed.filter(Boolean)).toHaveLength(5);
    expect(hpa.replicas).toBe(20);
    expect(hpa.target).toBe(10);
  });

  it('two triggers of one ScaledObject count each other’s looks while both nudge', async () => {
    const hpa = await hpaOf();
    const other = await hpaOf(reference('other'));
    tanks.set('worker', 200);
    tanks.set('other', 200);
    // The first trigger proves that nudges work, then both nudge.
    await pass(150);
    const looks = hpa.looks + other.looks;
    // The HPA requests all its metrics at once.
    for (let i = 0; i < 4; i += 1) {
      await pass(1);
      await Promise.all([hpa.look(), other.look()]);
    }
    await pass(1_000);
    expect(hpa.looks + other.looks - looks).toBeLessThanOrEqual(12);
    expect([hpa.target, other.target]).toEqual([10, 10]);
  });
});

it('a quiet trigger keeps nothing of a surge', async () => {
  const hpa = await hpaOf();
  const trigger = live.trigger(reference());
  expect(trigger.surges.surge).toBeUndefined();
  tanks.set('worker', 200);
  await pass(1_000);
  expect(trigger.surges.surge).toBeDefined();
  await hpa.look();
  await pass(70_000);
  expect(trigger.surges.surge).toBeUndefined();
});
