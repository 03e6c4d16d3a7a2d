import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Demand } from '../../../src/scaling/metric.ts';
import type { Nudge, Surge } from '../../../src/scaling/surge.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { type Nudged, Nudges, type Pace } from '../../../src/triggers/nudges.ts';
import { OtherPods } from '../../../src/triggers/other-pods.ts';
import { pass } from '../../support/hpa.ts';
import { surge as defaults } from '../../support/live-triggers.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The sent nudges, in order: whose target, and how many thousandths more. */
let sent: { who: string; nudge: Nudge; atMs: number }[];
let log: ReturnType<typeof recordingLogger>;
let metrics: Metrics;
let nudges: Nudges;

class FakeTrigger implements Nudged {
  readonly id: string;
  readonly label: string;
  readonly namespace: string;
  hpaReplicas: number | undefined = 1;
  surge: Surge | undefined;
  items = 40;
  /** Whether a GetMetrics follows each change, and after how long. */
  answersMs: number | undefined = 40;
  surged = vi.fn();

  constructor(name: string, namespace = 'shop') {
    this.id = name;
    this.label = name;
    this.namespace = namespace;
  }

  demandNow(): Demand {
    return { value: this.items, perReplica: 10 };
  }

  sayTarget(nudge: Nudge): void {
    sent.push({ who: this.id, nudge, atMs: performance.now() });
    if (this.answersMs !== undefined) setTimeout(() => this.look(), this.answersMs);
  }

  look(): void {
    this.hpaReplicas = Math.ceil(this.items / 10);
    nudges.looked(this, this.demandNow());
  }

  grow(items = 40, pushedAtMs = Number.NEGATIVE_INFINITY): this {
    this.items = items;
    nudges.grown(this, { nowMs: performance.now(), pushedAtMs, cause: undefined });
    return this;
  }
}

function use(pace: Partial<Pace> = {}): void {
  nudges.use({ ...defaults, ...pace });
}

/** After an answered nudge several triggers may be nudged at once; after six, it was no chance. */
async function prove(items = 200): Promise<void> {
  for (const name of ['proof', 'another-proof']) {
    new FakeTrigger(name, 'proof').grow(items);
    await pass(10_000);
  }
  sent.length = 0;
}

const firsts = () => sent.filter(({ nudge }) => nudge !== 0).map(({ who }) => who);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  sent = [];
  log = recordingLogger();
  metrics = new Metrics();
  const now = () => performance.now();
  nudges = new Nudges({ now, log, metrics, others: new OtherPods(now, undefined) });
  use();
});

afterEach(() => {
  nudges.close();
  vi.useRealTimers();
});

async function counts(): Promise<Record<string, number>> {
  const { values } = await metrics.nudges.get();
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels.outcome), value]));
}

describe('the pace', () => {
  beforeEach(() => prove());

  it('is as fast as nudges are answered, with a bounded number of surges under way', async () => {
    for (let i = 0; i < 40; i += 1) new FakeTrigger(`t-${i}`).grow();
    await pass(0);
    expect(sent).toHaveLength(2);
    await pass(400);
    // Each is answered after 40 ms.
    expect(firsts().length).toBeGreaterThan(16);
    expect(firsts().length).toBeLessThanOrEqual(22);
    await pass(20_000);
    // 40 nudges, and 40 times the exact target.
    expect(sent).toHaveLength(80);
    expect(nudges.waiting).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be changed while some wait', async () => {
    for (let i = 0; i < 40; i += 1) new FakeTrigger(`t-${i}`).grow();
    await pass(0);
    use({ surgesAtOnce: 100 });
    await pass(5);
    expect(sent).toHaveLength(40);
  });

  it('takes a surge to its last replicas before the next one begins', async () => {
    for (let i = 0; i < 4; i += 1) new FakeTrigger(`t-${i}`).grow(160);
    await pass(1_000);
    const order = firsts();
    expect(order).toHaveLength(12);
    expect(order.slice(0, 6).toSorted()).toEqual(['t-0', 't-0', 't-0', 't-1', 't-1', 't-1']);
  });

  it('sends nudges for more replicas before those that only end a surge', async () => {
    use({ surgesAtOnce: 1 });
    new FakeTrigger('a').grow();
    await pass(30);
    // By its turn `a` only has its end left, and has waited longer.
    new FakeTrigger('b').grow();
    new FakeTrigger('c', 'other').grow();
    await pass(5_000);
    expect(sent.map(({ who, nudge }) => `${who}${nudge}`)).toEqual(['a1', 'b1', 'c1', 'a0', 'c0', 'b0']);
    const ends = sent.slice(3).map(({ atMs }) => atMs);
    expect(ends.map((atMs) => atMs - (ends[0] ?? 0))).toEqual([0, 500, 1000]);
  });

  it('ends a surge after a minute, however many others grow', async () => {
    use({ surgesAtOnce: 1 });
    new FakeTrigger('done', 'small').grow();
    await pass(30);
    for (let i = 0; i < 200; i += 1) {
      const trigger = new FakeTrigger(`t-${i}`, 'large');
      trigger.answersMs = 400;
      trigger.grow();
    }
    const ofDone = () => sent.filter(({ who }) => who === 'done').map(({ nudge }) => nudge);
    await pass(59_000);
    expect(ofDone()).toEqual([1]);
    await pass(3_000);
    expect(ofDone()).toEqual([1, 0]);
    expect(nudges.waiting).toBeGreaterThan(0);
  });

  it('nudges at once if a trigger grows whose end waits', async () => {
    use({ surgesAtOnce: 1 });
    new FakeTrigger('a').grow();
    await pass(100);
    const b = new FakeTrigger('b').grow();
    await pass(100);
    b.grow(90);
    await pass(5);
    expect(sent.map(({ who, nudge }) => `${who}${nudge}`)).toEqual(['a1', 'a0', 'b1', 'b2']);
  });

  it('is shared fairly between namespaces', async () => {
    use({ surgesAtOnce: 1 });
    for (let i = 0; i < 10; i += 1) new FakeTrigger(`a-${i}`, 'a').grow();
    for (let i = 0; i < 2; i += 1) new FakeTrigger(`b-${i}`, 'b').grow();
    await pass(4_500);
    expect(
      firsts()
        .map((who) => who[0])
        .slice(0, 5),
    ).toEqual(['a', 'b', 'a', 'b', 'a']);
  });

  it('lets the oldest go first, and among equals the largest growth', async () => {
    use({ surgesAtOnce: 1 });
    new FakeTrigger('first').grow(20);
    new FakeTrigger('small').grow(20);
    new FakeTrigger('large').grow(90);
    await pass(30);
    new FakeTrigger('late').grow(9_000);
    await pass(3_500);
    expect(firsts().filter((who, index, all) => who !== all[index - 1])).toEqual([
      'large',
      'first',
      'small',
      'late',
    ]);
  });

  it('gives the place of a trigger that does not answer to another for a while', async () => {
    use({ surgesAtOnce: 1 });
    const paused = new FakeTrigger('paused');
    paused.answersMs = undefined;
    paused.grow();
    await pass(100);
    for (let i = 0; i < 3; i += 1) new FakeTrigger(`t-${i}`).grow();
    await pass(60_000);
    expect(firsts().filter((who) => who === 'paused')).toHaveLength(4);
    expect(firsts().filter((who) => who !== 'paused')).toHaveLength(3);
    expect(nudges.waiting).toBe(0);
  });

  it('drops a nudge when the HPA’s own look comes first', async () => {
    use({ surgesAtOnce: 1 });
    const all = Array.from({ length: 10 }, (_, i) => new FakeTrigger(`t-${i}`).grow());
    await pass(0);
    expect(sent).toHaveLength(1);
    for (const one of all.slice(1)) one.look();
    await pass(100_000);
    // One nudge, and its end.
    expect(sent.map(({ nudge }) => nudge)).toEqual([1, 0]);
    expect(await counts()).toMatchObject({ overtaken: 9 });
    expect(nudges.waiting).toBe(0);
  });

  it('holds for 10,000 triggers that grow in one second, in order, with one timer', async () => {
    const timers = vi.getTimerCount();
    for (let i = 0; i < 10_000; i += 1) {
      const trigger = new FakeTrigger(`t-${i}`);
      trigger.answersMs = 1;
      trigger.grow();
      if (i % 1000 === 999) await pass(100);
    }
    expect(nudges.waiting).toBeGreaterThan(9_000);
    await pass(500);
    const order = firsts().map((who) => Number(who.slice(2)));
    expect(order.length).toBeGreaterThan(500);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    // One, and the two answers under way.
    expect(vi.getTimerCount() - timers).toBeLessThanOrEqual(3);
  });
});

describe('until a nudge is answered', () => {
  it('one surge is under way, then as many as allowed', async () => {
    use({ surgesAtOnce: 5 });
    const all = Array.from({ length: 5 }, (_, i) => new FakeTrigger(`t-${i}`).grow());
    await pass(30);
    expect(sent).toHaveLength(1);
    await pass(20);
    expect(firsts()).toHaveLength(5);
    expect(all.filter(({ surge }) => surge?.on)).toHaveLength(4);
  });

  it('a burst without answers costs KEDA one surge after the other, and then none', async () => {
    for (let i = 0; i < 200; i += 1) {
      const trigger = new FakeTrigger(`t-${i}`);
      trigger.answersMs = undefined;
      trigger.grow();
    }
    await pass(minuteMs);
    expect(log.messages('warn')).toHaveLength(1);
    // Three times four nudges, their ends, and others that have begun.
    expect(sent.length).toBeLessThanOrEqual(24);
  });
});

describe('where nudges are not answered', () => {
  const silent = (name: string, namespace?: string): FakeTrigger => {
    const trigger = new FakeTrigger(name, namespace);
    trigger.answersMs = undefined;
    return trigger.grow();
  };
  const several = async (names: string[], namespace?: string): Promise<void> => {
    for (const name of names) {
      silent(name, namespace);
      await pass(10_000);
    }
  };
  const state = (namespace = 'shop') => nudges.stateOf({ namespace, surge: undefined }, performance.now());

  it('after three triggers in a row the cluster is left alone for an hour, logged once', async () => {
    await several(['a', 'b']);
    expect(log.messages('warn')).toEqual([]);
    await several(['c']);
    expect(log.messages('warn')).toEqual([
      expect.stringMatching(/KEDA 2\.21 .*Kubernetes 1\.37 .*HPAGeneration/),
    ]);
    expect(sent).toHaveLength(15);
    await several(['d']);
    expect(sent).toHaveLength(15);
    expect(state()).toBe('left alone');
    await pass(hourMs);
    await several(['e', 'f', 'g', 'h']);
    expect(sent).toHaveLength(30);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('one answer shows that nudges work, and the warning is taken back', async () => {
    await several(['a', 'b', 'c']);
    expect(log.messages('warn')).toHaveLength(1);
    await pass(hourMs);
    await prove();
    expect(log.messages('info')).toEqual([expect.stringContaining('are answered')]);
    await several(['d', 'e']);
    await prove();
    await several(['f', 'g']);
    expect(state()).toBe('ready');
  });

  it('a cluster that has answered before gets pauses of seconds, and is left alone after two minutes of silence', async () => {
    await prove();
    const began = performance.now();
    const restingMs: number[] = [];
    for (let i = 0; log.messages('warn').length === 0; i += 1) {
      silent(`t-${i}`);
      await pass(6_100);
      if (state() !== 'left alone') continue;
      const since = performance.now();
      while (state() === 'left alone' && performance.now() < since + hourMs) await pass(1_000);
      restingMs.push(Math.ceil((performance.now() - since) / 10_000) * 10_000);
    }
    expect(restingMs).toEqual([10_000, 20_000, 40_000, hourMs]);
    expect(performance.now() - began - hourMs).toBeGreaterThan(2 * minuteMs);
  });

  it('a workload without answers in a storm has its replicas soon afterwards', async () => {
    await prove();
    const all = Array.from({ length: 40 }, (_, i) => silent(`t-${i}`));
    await pass(20_000);
    for (const one of all) one.answersMs = 200;
    for (let seconds = 0; seconds < 60; seconds += 1) {
      for (const one of all) if (one.surged.mock.calls.length === 0) one.grow();
      await pass(1_000);
    }
    expect(log.messages('warn')).toEqual([]);
    // Three of them are left alone themselves, for a minute.
    expect(all.filter(({ surged }) => surged.mock.calls.length > 0).length).toBeGreaterThanOrEqual(37);
  });

  it('one that is answered at once by chance, as by the clock of an HPA that knows no nudges, proves nothing', async () => {
    await prove(40);
    await several(['a']);
    await prove(40);
    await several(['b', 'c', 'd']);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('looks by the clock at triggers that wait to be nudged again prove nothing', async () => {
    const all = Array.from({ length: 40 }, (_, i) => silent(`t-${i}`, `n-${i}`).grow(2_000));
    for (let second = 1; second <= 60; second += 1) {
      await pass(1_000);
      for (const [i, one] of all.entries()) if ((second + i) % 15 === 0) one.look();
    }
    expect((await counts())['answered']).toBeGreaterThan(20);
    for (const one of all) one.items = 0;
    await pass(minuteMs);
    expect(log.messages('warn')).toEqual([]);
    await several(['a', 'b', 'c']);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('bursts that are over before the fourth nudge count, too', async () => {
    const all = ['a', 'b', 'c'].map((name) => silent(name));
    for (let round = 0; round < 3; round += 1) {
      for (const one of all) {
        one.grow(200);
        await pass(1_500);
        one.items = 0;
        await pass(3_500);
      }
    }
    expect(log.messages('warn')).toHaveLength(1);
    const { length } = sent;
    all[0]?.grow(200);
    await pass(10_000);
    expect(sent).toHaveLength(length);
  });

  it('of one namespace alone, the others are still nudged', async () => {
    await several(['a', 'b', 'c']);
    expect([state(), state('bank')]).toEqual(['left alone', 'ready']);
    const other = new FakeTrigger('other', 'bank').grow();
    await pass(1_000);
    expect(other.surged).toHaveBeenCalledOnce();
  });

  it.each([
    ['one after the other', ['shop', 'shop', 'shop', 'bank', 'bank', 'bank']],
    ['in between', ['shop', 'bank', 'shop']],
  ])('of two namespaces, %s, all are left alone', async (_, namespaces) => {
    for (const [i, namespace] of namespaces.entries()) await several([`t-${i}`], namespace);
    expect([state('shop'), state('bank'), state('yard')]).toEqual(Array(3).fill('left alone'));
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('the same trigger counts once', async () => {
    const trigger = silent('a');
    for (let i = 0; i < 5; i += 1) {
      await pass(2 * hourMs);
      trigger.grow();
    }
    expect(log.messages('warn')).toEqual([]);
  });

  it('silence of a KEDA with many first replicas to start does not count', async () => {
    await prove();
    const all = Array.from({ length: 200 }, (_, i) => {
      nudges.pushed('a', true);
      return silent(`t-${i}`);
    });
    await pass(19_000);
    expect(log.messages('warn')).toEqual([]);
    for (const one of all) one.answersMs = 40;
    await pass(minuteMs);
    expect(log.messages('warn')).toEqual([]);
    expect(nudges.waiting).toBe(0);
    expect(all.filter(({ surged }) => surged.mock.calls.length === 1)).toHaveLength(200);
  });

  it('silence of a KEDA that has just opened many streams does not count: it reconciles each ScaledObject', async () => {
    for (let i = 0; i < 200; i += 1) nudges.followed();
    for (const name of ['a', 'b', 'c']) silent(name);
    await pass(19_000);
    expect(log.messages('warn')).toEqual([]);
    await several(['d', 'e', 'f']);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('silence counts after half a minute, however many first replicas KEDA has to start', async () => {
    for (let i = 0; i < 10_000; i += 1) nudges.pushed('a', true);
    await several(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('running surges end with the exact target', async () => {
    await prove();
    use({ surgesAtOnce: 4 });
    for (let i = 0; i < 3; i += 1) silent(`t-${i}`);
    const slow = new FakeTrigger('slow');
    slow.answersMs = 3_000;
    await pass(5_900);
    slow.grow(10_000);
    await pass(6_000);
    expect(state()).toBe('left alone');
    await pass(minuteMs);
    expect(sent.filter(({ who }) => who === 'slow').at(-1)?.nudge).toBe(0);
    expect(slow.surge?.on).toBe(false);
  });

  it('outcomes are counted', async () => {
    silent('a');
    await pass(10_000);
    expect(await counts()).toEqual({ answered: 0, unanswered: 4, overtaken: 0, settled: 1, lost: 0 });
  });
});

describe('the end', () => {
  it('of a surge is logged, with its course', async () => {
    const trigger = new FakeTrigger('t').grow(80);
    await pass(1_000);
    expect(trigger.surged).toHaveBeenCalledExactlyOnceWith(
      { from: 1, to: 8, nudges: 2, ms: expect.any(Number) },
      expect.any(Number),
      undefined,
    );
  });

  it('of the stream drops waiting nudges', async () => {
    const trigger = new FakeTrigger('t').grow();
    nudges.lost(trigger);
    nudges.lost(trigger);
    await pass(10_000);
    expect(sent).toEqual([]);
    expect(nudges.waiting).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of the scaler leaves no timer', () => {
    new FakeTrigger('t').grow();
    nudges.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('each nudge is in the log at debug level', async () => {
  new FakeTrigger('t').grow();
  await pass(1_000);
  expect(log.messages('debug')).toEqual(['surge', 'surge: GetMetrics', 'surge']);
});
