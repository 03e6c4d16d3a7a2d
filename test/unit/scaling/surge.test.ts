import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Demand, nudgedTarget, replicasFor } from '../../../src/scaling/metric.ts';
import {
  asksForMore,
  canBeNudged,
  mostNudgesAMinute,
  type Nudge,
  type Step,
  Surge,
  surgeTimes,
} from '../../../src/scaling/surge.ts';

/** No `true` was sent. */
const never = Number.NEGATIVE_INFINITY;

/** With ten items for each replica. */
const jobs = (value: number): Demand => ({ value, perReplica: 10 });

/** The result of a workload's HPA without a `behavior`. */
function look(replicas: number, { value, perReplica }: Demand, most = 10_000): number {
  const ratio = value / perReplica / replicas;
  if (ratio >= 0.9 && ratio <= 1.1) return replicas;
  if (ratio < 1) return replicas; // Its downscale stabilization.
  return Math.min(Math.ceil(value / perReplica), Math.max(2 * replicas, 4), most);
}

interface Played {
  replicas: number[];
  nudges: Nudge[];
  surge: Surge;
}

/** A surge with an HPA that answers each change after 40 ms. */
function play(demand: Demand, { from = 1, edge = false, most = 10_000, looks = true } = {}): Played {
  const surge = new Surge();
  const replicas = [from];
  const nudges: Nudge[] = [];
  let has: Nudge = 0;
  surge.begin(demand, edge ? 1 : from, 0, edge ? 0 : never);
  for (let nowMs = surge.dueAtMs; surge.on; nowMs = Math.max(nowMs, surge.dueAtMs)) {
    const step = surge.step(demand, nowMs);
    const said: Nudge | undefined =
      step.kind === 'nudge' ? step.nudge : step.kind === 'settle' ? 0 : undefined;
    if (said !== undefined) nudges.push(said);
    if (said === undefined || said === has || !looks) continue;
    has = said;
    nowMs += 40;
    const target = nudgedTarget(demand, said).float;
    replicas.push(look(replicas.at(-1) ?? 1, { value: demand.value, perReplica: target }, most));
    surge.looked(demand, nowMs);
  }
  return { replicas, nudges, surge };
}

describe('a surge', () => {
  it.each<[string, Demand, Parameters<typeof play>[1], number[], Nudge[]]>([
    ['0 → 20', jobs(200), { edge: true }, [1, 4, 8, 16, 20, 20], [1, 2, 1, 2, 0]],
    ['0 → 4', jobs(40), { edge: true }, [1, 4, 4], [1, 0]],
    ['0 → 1 needs none', jobs(10), { edge: true }, [1], []],
    ['1 → 20 while running', jobs(200), { from: 1 }, [1, 4, 8, 16, 20, 20], [1, 2, 1, 2, 0]],
    ['10 → 20 while running', jobs(200), { from: 10 }, [10, 20, 20], [1, 0]],
    ['10 → 11 is within the tolerance', jobs(110), { from: 10 }, [10], []],
    ['10 → 12 is not', jobs(112), { from: 10 }, [10, 12, 12], [1, 0]],
    ['20 → 10 is the HPA’s own matter', jobs(100), { from: 20 }, [20], []],
    ['0 → 100', jobs(1000), { edge: true }, [1, 4, 8, 16, 32, 64, 100, 100], [1, 2, 1, 2, 1, 2, 0]],
    [
      '0 → 2,000 at target 1: the exact target is there for the last step, or two would be missing',
      { value: 2000, perReplica: 1 },
      { edge: true },
      [1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2000],
      [1, 2, 1, 2, 1, 2, 1, 2, 1, 0],
    ],
    ['maxReplicaCount 5', jobs(200), { edge: true, most: 5 }, [1, 4, 5, 5, 5, 5], [1, 2, 1, 2, 0]],
    ['that is never answered', jobs(200), { edge: true, looks: false }, [1], [1, 2, 1, 2, 0]],
  ])('%s', (_, demand, how, replicas, nudges) => {
    const played = play(demand, how);
    expect(played.nudges).toEqual(nudges);
    expect(played.replicas).toEqual(replicas);
  });

  it('takes a poll of KEDA for a look, and can spare one', () => {
    const surge = new Surge();
    surge.begin(jobs(200), 1, 0, 0);
    surge.step(jobs(200), 60);
    surge.looked(jobs(200), 61);
    expect(surge.course).toMatchObject({ from: 1, to: 4 });
    let looks = 0;
    for (let nowMs = 100; surge.on; nowMs += 50) {
      if (surge.step(jobs(200), nowMs).kind !== 'over') looks += 1;
      surge.looked(jobs(200), nowMs + 40);
    }
    // 1 → 4 → 8 → 16 → 20: the poll was none of the four.
    expect(looks).toBe(4);
  });

  it('repeats an unanswered nudge, later each time, with a target that KEDA and the HPA do not have', () => {
    const surge = new Surge();
    surge.begin(jobs(200), 1, 0, 0);
    const times: number[] = [];
    const said: Nudge[] = [];
    while (surge.on) {
      times.push(surge.dueAtMs);
      const step = surge.step(jobs(200), surge.dueAtMs);
      if (step.kind === 'nudge') said.push(step.nudge);
      else expect(step).toEqual({ kind: 'settle', gaveUp: true });
    }
    expect(times).toEqual([20, 1020, 2020, 4020, 6020]);
    expect(said).toEqual([1, 2, 1, 2]);
  });

  it('leaves a trigger that does not answer alone: for a minute, then for an hour', () => {
    const surge = new Surge();
    const giveUp = (nowMs: number): number => {
      expect(surge.begin(jobs(200), 1, nowMs, never)).toBe(true);
      let atMs = nowMs;
      while (surge.on) {
        atMs = surge.dueAtMs;
        surge.step(jobs(200), atMs);
      }
      return atMs;
    };
    const first = giveUp(0);
    expect(surge.begin(jobs(200), 1, first + 59_999, never)).toBe(false);
    const second = giveUp(first + 60_000);
    expect(surge.begin(jobs(200), 1, second + 3_599_999, never)).toBe(false);
    expect(surge.begin(jobs(200), 1, second + 3_600_000, never)).toBe(true);
  });

  it('after an answer rests for a minute again', () => {
    const surge = new Surge();
    const giveUp = (nowMs: number): number => {
      surge.begin(jobs(200), 1, nowMs, never);
      while (surge.on) {
        surge.step(jobs(200), surge.dueAtMs);
        if (surge.nudges === 4) return surge.dueAtMs;
      }
      return nowMs;
    };
    const first = giveUp(0);
    surge.step(jobs(200), first);
    surge.begin(jobs(40), 1, first + 60_000, never);
    surge.step(jobs(40), first + 60_000);
    surge.looked(jobs(40), first + 60_040);
    surge.step(jobs(40), first + 60_055);
    const second = giveUp(first + 120_000);
    expect(surge.step(jobs(200), second)).toMatchObject({ gaveUp: true });
    expect(surge.resting(second + 59_999)).toBe(true);
    expect(surge.resting(second + 60_000)).toBe(false);
  });

  it('leaves it alone, too, if its growth is over each time before the fourth nudge', () => {
    const surge = new Surge();
    let bursts = 0;
    for (let nowMs = 0; nowMs < 60_000 && !surge.resting(nowMs); nowMs += 5_000) {
      bursts += 1;
      surge.begin(jobs(200), 1, nowMs, never);
      surge.step(jobs(200), surge.dueAtMs);
      surge.step(jobs(200), surge.dueAtMs);
      surge.step(undefined, surge.dueAtMs);
    }
    expect(bursts).toBe(2);
  });

  it('does not take a look for a prompt answer when the nudge was to be repeated already', () => {
    const surge = new Surge();
    surge.begin(jobs(200), 1, 0, never);
    surge.step(jobs(200), 0);
    expect(surge.looked(jobs(200), 999)).toMatchObject({ kind: 'answered', prompt: true });
    surge.step(jobs(200), 1_000);
    expect(surge.looked(jobs(200), 2_000)).toMatchObject({ kind: 'answered', prompt: false });
  });

  it('still waits for the first replica after a poll of KEDA', () => {
    const surge = new Surge();
    surge.begin(jobs(200), 1, 0, 0);
    surge.looked(jobs(200), 5);
    expect(surge.dueAtMs).toBe(20);
  });

  it.each<[string, { afterMs: number; edgeMs?: number }, boolean]>([
    ['soon', { afterMs: 2_000 }, false],
    ['within a minute', { afterMs: 59_000 }, false],
    ['a minute later', { afterMs: 60_100 }, true],
    ['at an edge soon afterwards', { afterMs: 10_000, edgeMs: 10_000 }, false],
    ['at an edge after KEDA may have let it go', { afterMs: 20_000, edgeMs: 20_000 }, true],
  ])('of what the HPA holds begins again %s: %o %s', (_, { afterMs, edgeMs = never }, begins) => {
    const surge = new Surge();
    surge.begin(jobs(200), 10, 0, never);
    surge.step(jobs(200), 0);
    surge.looked(jobs(200), 40);
    surge.step(jobs(200), 40);
    expect(surge.begin(jobs(200), 1, afterMs, edgeMs)).toBe(begins);
  });

  it('continues while KEDA is busy and silent: as often as the bound of a minute allows', () => {
    const surge = new Surge();
    surge.begin(jobs(200), 1, 0, never);
    let kind = '';
    while (surge.on) ({ kind } = surge.step(jobs(200), surge.dueAtMs, { busy: true }));
    expect(surge.nudges).toBe(mostNudgesAMinute);
    expect(kind).toBe('settle');
    expect(surge.resting(30_000)).toBe(false);
    expect(surge.spent(130_000)).toBe(true);
  });

  it('of a blind trigger ends like an unanswered one, and never rests for longer than a minute', () => {
    const surge = new Surge();
    let nowMs = 0;
    for (let round = 0; round < 5; round += 1) {
      expect(surge.begin(jobs(200), 1, nowMs, never)).toBe(true);
      let step: Step | undefined;
      while (surge.on) {
        nowMs = surge.dueAtMs;
        step = surge.step(jobs(200), nowMs, { blind: true });
      }
      expect(step).toEqual({ kind: 'settle', gaveUp: true });
      expect(surge.nudges).toBe(4);
      expect([surge.resting(nowMs + 59_999), surge.resting(nowMs + 60_000)]).toEqual([true, false]);
      nowMs += 60_000;
    }
  });

  it.each<[string, Demand, boolean, number, number]>([
    ['here, of the growth', jobs(200), false, 100, 4],
    ['elsewhere, of the growth', jobs(200), true, 100, 4],
    ['elsewhere, by an older reading', jobs(10), true, 1_100, 1],
    ['here, since the backlog has fallen', jobs(10), false, 100, 1],
  ])('after a look that was answered %s', (_, told, elsewhere, dueAtMs, replicas) => {
    const surge = new Surge();
    surge.begin(jobs(200), 1, 0, 0);
    surge.step(jobs(200), 60);
    expect(surge.looked(told, 100, elsewhere)).toMatchObject({ kind: 'answered' });
    expect(surge.dueAtMs).toBe(dueAtMs);
    expect(surge.course.to).toBe(replicas);
    // A fallen backlog only ends it. Growth that another pod has not read yet continues it.
    expect(surge.growth > 0).toBe(elsewhere || told.value === 200);
  });

  it('stops with the exact target when the backlog falls or becomes unknown', () => {
    for (const demand of [jobs(0), jobs(40), undefined]) {
      const surge = new Surge();
      surge.begin(jobs(200), 1, 0, 0);
      surge.step(jobs(200), 60);
      surge.looked(jobs(200), 100);
      expect(surge.step(demand, 115)).toEqual({ kind: 'settle', gaveUp: false });
      expect(surge.on).toBe(false);
    }
  });

  it('sends nothing if the HPA’s own looks are faster, and a poll of KEDA between them is not a look', () => {
    const surge = new Surge();
    surge.begin(jobs(80), 1, 0, 0);
    expect(surge.looked(jobs(80), 10)).toEqual({ kind: 'overtook', first: true });
    expect(surge.looked(jobs(80), 260)).toEqual({ kind: 'overtook', first: false });
    expect(surge.course).toMatchObject({ to: 4 });
    expect(surge.looked(jobs(80), 15_010)).toEqual({ kind: 'overtook', first: false });
    expect(surge.course).toMatchObject({ to: 8 });
    expect(surge.step(jobs(80), 15_020)).toEqual({ kind: 'over', gaveUp: false });
    expect(surge.nudges).toBe(0);
  });

  it('continues with growth that came meanwhile', () => {
    const surge = new Surge();
    surge.begin(jobs(40), 1, 0, 0);
    surge.step(jobs(40), 60);
    surge.looked(jobs(100), 100);
    expect(surge.growth).toBe(2.5);
    expect(surge.step(jobs(100), 115)).toMatchObject({ kind: 'nudge' });
  });

  it('begins again with a target that KEDA does not have, because the last one may not have been seen', () => {
    const surge = new Surge();
    surge.begin(jobs(40), 1, 0, 0);
    surge.step(jobs(40), 60);
    surge.looked(jobs(40), 100);
    expect(surge.step(jobs(40), 115).kind).toBe('settle');
    surge.begin(jobs(100), 4, 116, never);
    expect(surge.step(jobs(100), 116)).toMatchObject({ nudge: 2 });
  });
});

describe('under metricType Value', () => {
  it('a higher value is growth, and growth within one whole number waits for the HPA', () => {
    const told = replicasFor({ value: 12, perReplica: 10 });
    expect(asksForMore({ value: 19, perReplica: 10 }, told)).toBe(false);
    expect(asksForMore({ value: 25, perReplica: 10 }, told)).toBe(true);
  });
});

describe('a nudged target', () => {
  it.each([
    [10, 10, 10.001, 10.002],
    [1, 1, 1.001, 1.002],
    [2.5, 2.5, 2.501, 2.502],
    [0.0625, 0.0625, 0.064, 0.065],
    [0.30000000000000004, 0.30000000000000004, 0.301, 0.302],
  ])('%d', (perReplica, exact, one, two) => {
    expect([0, 1, 2].map((nudge) => nudgedTarget({ perReplica }, nudge).float)).toEqual([exact, one, two]);
  });

  it('differs from the exact one for KEDA, is larger, and has the same integer', () => {
    const targets = fc.double({ min: 0.2, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(targets, (perReplica) => {
        expect(canBeNudged(perReplica)).toBe(true);
        const sent = [0, 1, 2].map((nudge) => nudgedTarget({ perReplica }, nudge));
        // KEDA prints "%.3f".
        const printed = sent.map(({ float }) => float.toFixed(3));
        expect(new Set(printed).size).toBe(3);
        expect(sent[1]?.float).toBeGreaterThan(perReplica);
        expect(sent[2]?.float).toBeGreaterThan(sent[1]?.float ?? 0);
        expect(new Set(sent.map(({ int }) => int)).size).toBe(1);
      }),
    );
  });

  it.each([0.001, 0.05, 1e13, Number.NaN])('does not exist at %d', (perReplica) => {
    expect(canBeNudged(perReplica)).toBe(false);
  });
});

/** A minute or more of a trigger, with any reads, looks and answers. */
type Move =
  | { kind: 'read'; value: number; edge: boolean }
  | { kind: 'look' }
  | { kind: 'unknown' }
  | { kind: 'busy' };

const moves: fc.Arbitrary<{ afterMs: number; move: Move }[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20_000 })),
    move: fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('read' as const),
          value: fc.integer({ min: 0, max: 5000 }),
          edge: fc.boolean(),
        }),
      },
      { weight: 5, arbitrary: fc.constant({ kind: 'look' as const }) },
      fc.constant({ kind: 'unknown' as const }),
      fc.constant({ kind: 'busy' as const }),
    ),
  }),
  { maxLength: 200 },
);

describe('whatever happens', () => {
  it('the target is exact in the end, two in a row differ, and nudges keep to the bound of a minute', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const surge = new Surge();
        const nudgedAtMs: number[] = [];
        let said: Nudge = 0;
        let demand: Demand | undefined = jobs(0);
        let told = 0;
        let nowMs = 0;
        let busy = false;
        const go = (untilMs: number): void => {
          while (surge.on && surge.dueAtMs <= untilMs) {
            const step = surge.step(demand, surge.dueAtMs, { busy });
            if (step.kind === 'over') continue;
            const next = step.kind === 'nudge' ? step.nudge : 0;
            expect(next).not.toBe(said);
            said = next;
            if (step.kind === 'nudge') nudgedAtMs.push(surge.dueAtMs);
          }
        };
        for (const { afterMs, move } of all) {
          nowMs += afterMs;
          go(nowMs);
          if (move.kind === 'busy') busy = !busy;
          if (move.kind === 'unknown') demand = undefined;
          if (move.kind === 'read') {
            demand = jobs(move.value);
            surge.begin(demand, move.edge ? 1 : told, nowMs, move.edge ? nowMs : never);
          }
          if (move.kind === 'look' && demand) {
            told = replicasFor(demand);
            surge.looked(demand, nowMs);
          }
        }
        go(Number.POSITIVE_INFINITY);
        expect(said).toBe(0);
        expect(surge.on).toBe(false);
        const sendsOfOneMinute = nudgedAtMs.map(
          (atMs) => nudgedAtMs.filter((other) => other >= atMs && other < atMs + 60_000).length,
        );
        expect(Math.max(0, ...sendsOfOneMinute)).toBeLessThanOrEqual(2 * mostNudgesAMinute);
      }),
    );
  });

  it('nothing is sent without growth', () => {
    const values = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 50 });
    fc.assert(
      fc.property(values, (readings) => {
        const surge = new Surge();
        let told = Number.POSITIVE_INFINITY;
        for (const [i, value] of readings.entries()) {
          const falling = Math.min(value, told * 10);
          expect(surge.begin(jobs(falling), told, i * 1000, never)).toBe(false);
          told = replicasFor(jobs(falling));
        }
      }),
    );
  });

  it('a value that swings around the tolerance every second is nudged once a minute', () => {
    const surge = new Surge();
    let sent = 0;
    for (let second = 0; second < 600; second += 1) {
      const nowMs = second * 1000;
      const high = second % 2 === 1;
      const demand = jobs(high ? 230 : 200);
      if (surge.begin(demand, 20, nowMs, never)) {
        if (surge.step(demand, nowMs).kind === 'nudge') sent += 1;
        surge.looked(demand, nowMs + 40);
        surge.step(demand, nowMs + 55);
      }
    }
    // The HPA holds its replicas for longer than a minute.
    expect(sent).toBe(10);
  });

  it('any number of replicas within the bound is reached', () => {
    const numbers = fc.record({
      from: fc.integer({ min: 1, max: 100 }),
      more: fc.integer({ min: 0, max: 900 }),
      perReplica: fc.constantFrom(1, 2.5, 10, 1000),
    });
    fc.assert(
      fc.property(numbers, ({ from, more, perReplica }) => {
        const wanted = from + more;
        const { replicas, surge } = play({ value: wanted * perReplica, perReplica }, { from });
        // Or what the HPA considers close enough.
        const last = replicas.at(-1) ?? 0;
        expect(asksForMore({ value: wanted, perReplica: 1 }, last)).toBe(false);
        expect(last).toBeLessThanOrEqual(wanted);
        expect(surge.nudges).toBeLessThanOrEqual(11);
      }),
    );
  });
});

it('the times are the measured ones', () => {
  expect(surgeTimes).toMatchObject({ afterPushMs: 20, answerMs: [1000, 1000, 2000, 2000] });
});
