import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beliefMs,
  LeaseRules,
  leaseMs,
  mostUnreachedMs,
  renewMs,
  standBackMs,
  unreachedMs,
} from '../../../src/pods/lease-rules.ts';

describe('a lease', () => {
  it('is taken by a pod that has seen no holder for its length, and not before', () => {
    const rules = new LeaseRules('a', 1_000);
    expect(rules.nextWriteAtMs).toBe(1_000 + leaseMs);
    expect(rules.write(1_000 + leaseMs)).toEqual({ onRevision: 0 });
    rules.wrote(1, 1_000 + leaseMs, 3_600);
    expect(rules.heldUntilMs).toBe(1_000 + leaseMs + beliefMs);
  });

  it('is held from the sending of the write, and only once it is acknowledged', () => {
    const rules = new LeaseRules('a', 0);
    rules.write(2_500);
    expect(rules.holds(2_600)).toBe(false);
    rules.wrote(1, 2_500, 4_400);
    expect(rules.holds(4_499)).toBe(true);
    expect(rules.holds(4_500)).toBe(false);
  });

  it('is not held if the acknowledgement comes too late', () => {
    const rules = new LeaseRules('a', 0);
    rules.write(2_500);
    rules.wrote(1, 2_500, 9_000);
    expect(rules.holds(9_000)).toBe(false);
  });

  it('is renewed long before it ends', () => {
    const rules = new LeaseRules('a', 0);
    rules.write(2_500);
    rules.wrote(1, 2_500, 2_510);
    expect(rules.nextWriteAtMs).toBeLessThanOrEqual(2_500 + renewMs);
    expect(rules.write(3_000)).toEqual({ onRevision: 1 });
  });

  it('is left alone as long as another pod renews it', () => {
    const rules = new LeaseRules('a', 0);
    rules.saw(1, 'b', 2_000);
    expect(rules.nextWriteAtMs).toBe(2_000 + leaseMs);
    rules.saw(2, 'b', 2_500);
    expect(rules.nextWriteAtMs).toBe(2_500 + leaseMs);
  });

  it('is taken at once after it was given back', () => {
    const rules = new LeaseRules('a', 0);
    rules.saw(7, 'b', 100);
    rules.saw(8, undefined, 200);
    expect(rules.nextWriteAtMs).toBeLessThanOrEqual(200);
    expect(rules.write(200)).toEqual({ onRevision: 8 });
  });

  it('ends at once when another pod is seen to have it', () => {
    const rules = new LeaseRules('a', 0);
    rules.write(2_500);
    rules.wrote(1, 2_500, 2_510);
    rules.saw(2, 'b', 2_600);
    expect(rules.holds(2_600)).toBe(false);
    expect(rules.holder).toBe('b');
  });

  it('is not held after it was given back, even if an earlier write is acknowledged', () => {
    const rules = new LeaseRules('a', 0);
    rules.write(2_500);
    rules.wrote(1, 2_500, 2_510);
    rules.write(3_000);
    expect(rules.giveBack()).toEqual({ onRevision: 1 });
    expect(rules.holds(3_001)).toBe(false);
    rules.wrote(2, 3_000, 3_010);
    expect(rules.holds(3_010)).toBe(false);
  });

  it('does not end by old news of another pod', () => {
    const rules = new LeaseRules('a', 0);
    rules.saw(1, 'b', 0);
    rules.write(2_500);
    rules.wrote(2, 2_500, 2_510);
    rules.saw(1, 'b', 2_520);
    expect(rules.holds(2_520)).toBe(true);
  });
});

/** A holder since 2,500 ms that has renewed its lease every 500 ms, up to `nowMs`. */
function holder(nowMs: number): { rules: LeaseRules; renewUntil: (ms: number) => void } {
  const rules = new LeaseRules('a', 0);
  let revision = 0;
  let atMs = leaseMs;
  const renewUntil = (untilMs: number): void => {
    for (; atMs <= untilMs; atMs += renewMs) {
      rules.write(atMs);
      revision += 1;
      rules.wrote(revision, atMs, atMs);
    }
  };
  renewUntil(nowMs);
  return { rules, renewUntil };
}

describe('a holder that does not reach the upstream', () => {
  it.each<
    [what: string, outcomes: readonly (readonly [afterMs: number, isAnswered: boolean])[], givenUp: boolean]
  >([
    [
      'fails for less than the bound',
      [
        [0, false],
        [unreachedMs - 1, false],
      ],
      false,
    ],
    [
      'fails for the bound',
      [
        [0, false],
        [unreachedMs, false],
      ],
      true,
    ],
    [
      'fails once, after a long rest',
      [
        [0, true],
        [5 * unreachedMs, false],
      ],
      false,
    ],
    [
      'is answered once in between',
      [
        [0, false],
        [unreachedMs - 1, true],
        [unreachedMs, false],
        [2 * unreachedMs - 1, false],
      ],
      false,
    ],
    [
      'fails for the bound after an answer',
      [
        [0, false],
        [10_000, true],
        [11_000, false],
        [11_000 + unreachedMs, false],
      ],
      true,
    ],
  ])('%s', (_, outcomes, givenUp) => {
    const { rules, renewUntil } = holder(5_000);
    const said = outcomes.map(([afterMs, isAnswered]) => {
      renewUntil(5_000 + afterMs);
      return isAnswered ? rules.reached() : rules.unreached(5_000 + afterMs);
    });
    expect(said.some((forMs) => forMs !== undefined)).toBe(givenUp);
    const [lastMs = 0] = outcomes.at(-1) ?? [];
    expect(rules.holds(5_000 + lastMs)).toBe(!givenUp);
    expect(rules.release()).toEqual(givenUp ? { onRevision: expect.any(Number) } : undefined);
    expect(rules.release()).toBeUndefined();
  });

  it('leaves the others time to take the lease, and otherwise takes it again', () => {
    const { rules } = holder(40_000);
    rules.unreached(9_000);
    rules.unreached(40_000);
    rules.saw(1_000, undefined, 40_010);
    expect(rules.nextWriteAtMs).toBe(40_010 + standBackMs);
    rules.write(46_000);
    rules.wrote(1_001, 46_000, 46_005);
    expect(rules.holds(46_005)).toBe(true);
  });

  it('does not hold the lease by a renewal that is acknowledged afterwards', () => {
    const { rules } = holder(40_000);
    rules.unreached(9_000);
    rules.write(40_000);
    rules.unreached(40_001);
    rules.wrote(1_000, 40_000, 40_010);
    expect(rules.holds(40_010)).toBe(false);
    expect(rules.release()).toEqual({ onRevision: 1_000 });
  });

  it('is no slower than others in taking the lease once it is answered, or long afterwards', () => {
    const [answered, later] = [holder(40_000).rules, holder(40_000).rules];
    for (const rules of [answered, later]) {
      rules.unreached(9_000);
      rules.unreached(40_000);
    }
    answered.reached();
    answered.saw(1_000, 'b', 50_000);
    expect(answered.nextWriteAtMs).toBe(50_000 + leaseMs);
    later.saw(1_000, 'b', 50_000);
    expect(later.nextWriteAtMs).toBe(50_000 + leaseMs + standBackMs);
    later.saw(1_001, 'b', 40_000 + mostUnreachedMs);
    expect(later.nextWriteAtMs).toBe(40_000 + mostUnreachedMs + leaseMs);
  });
});

describe('between several pods', () => {
  const still = { rate: 1, startMs: 0, pausesAtMs: [], cutAtMs: [] };
  const calm = { delaysMs: [5], lost: [false] };
  const always = [[0, Number.POSITIVE_INFINITY]] as const;

  it('the one that reaches the upstream gets the lease soon, and keeps it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 60_000 }), (reaching, fromMs) => {
        const pods = [0, 1, 2].map((index) => ({
          ...still,
          startMs: 50 * index,
          unreached: index === reaching ? [] : [[fromMs, Number.POSITIVE_INFINITY] as const],
        }));
        const { log } = play({ ...calm, pods, lengthMs: 300_000 });
        const last = log.at(-1);
        expect(last?.pod).toBe(reaching);
        // Each of the other two may have it once before.
        expect(last?.atMs).toBeLessThan(fromMs + 2 * (unreachedMs + standBackMs) + 10_000);
        expect(log.length).toBeLessThanOrEqual(3);
      }),
      { numRuns: 20 },
    );
  });

  it('does not go round and round where none of them reaches the upstream', () => {
    const hourMs = 3_600_000;
    const pods = [0, 1, 2].map((index) => ({ ...still, startMs: 50 * index, unreached: always }));
    const { log } = play({ ...calm, pods, lengthMs: hourMs });
    // 30 s, 1, 2, 4, 8 and 15 min each.
    expect(log.length).toBeGreaterThan(6);
    expect(log.length).toBeLessThanOrEqual(3 * 5 + 1);
  });

  it('stays with a pod that is alone, except for short rests', () => {
    const lengthMs = 600_000;
    const { heldMs } = play({ ...calm, pods: [{ ...still, unreached: always }], lengthMs });
    expect(heldMs).toBeGreaterThan(0.9 * lengthMs);
  });

  it('goes back to a pod that reaches the upstream again, when the other no longer does', () => {
    const { log } = play({
      ...calm,
      pods: [
        { ...still, unreached: [[0, 120_000]] },
        { ...still, startMs: 50, unreached: [[200_000, Number.POSITIVE_INFINITY]] },
      ],
      lengthMs: 300_000,
    });
    expect(log.map(({ pod }) => pod)).toEqual([0, 1, 0]);
  });

  it('is never held by two at once, whatever is delayed, lost, paused or cut off, and however clocks run', () => {
    let terms = 0;
    fc.assert(
      fc.property(worlds, (world) => {
        const played = play(world);
        terms += played.terms;
        expect(played.together).toEqual([]);
      }),
      { numRuns: 400 },
    );
    // Safety would be trivial if nobody ever held it.
    expect(terms).toBeGreaterThan(800);
  });

  it('is taken over within three seconds after its holder was killed, if the store answers', () => {
    for (let afterMs = 0; afterMs < 500; afterMs += 25) {
      const killAtMs = 10_000 + afterMs;
      const { log } = play({
        pods: [still, { ...still, startMs: 5_000 }, { ...still, startMs: 5_100 }],
        ...calm,
        killFirstAtMs: killAtMs,
        lengthMs: 20_000,
      });
      const taken = log.find(({ pod, atMs }) => pod !== 0 && atMs > killAtMs);
      expect(taken?.atMs).toBeLessThan(killAtMs + 3_000);
    }
  });

  it('would not be safe without the margin: the proof can fail', () => {
    // Clocks that differ by more than the margin allows. The first pod's runs at half the speed.
    const { together } = play({
      pods: [
        { ...still, rate: 0.5, cutAtMs: [6_000] },
        { ...still, startMs: 5_500 },
      ],
      delaysMs: [1],
      lost: [false],
      lengthMs: 20_000,
    });
    expect(together).not.toEqual([]);
  });
});

interface PodPlan {
  /** How fast its clock runs. */
  readonly rate: number;
  readonly startMs: number;
  /** Times at which it does nothing for 3 s, as in a long garbage collection or after SIGSTOP. Its clock continues. */
  readonly pausesAtMs: readonly number[];
  /** Times at which it is cut off for 6 s, in both directions. */
  readonly cutAtMs: readonly number[];
  /** When its requests to the upstream fail: from, until. It sends one a second while it holds the lease. */
  readonly unreached?: readonly (readonly [fromMs: number, untilMs: number])[];
}

interface World {
  readonly pods: readonly PodPlan[];
  /** The delays of messages, one after the other, repeated. */
  readonly delaysMs: readonly number[];
  readonly lost: readonly boolean[];
  readonly killFirstAtMs?: number;
  readonly lengthMs: number;
}

const someTimes = fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 3 });
const worlds: fc.Arbitrary<World> = fc.record({
  pods: fc.array(
    fc.record({
      rate: fc.double({ min: 0.95, max: 1.05, noNaN: true }),
      startMs: fc.integer({ min: 0, max: 10_000 }),
      pausesAtMs: someTimes,
      cutAtMs: someTimes,
      unreached: fc.array(
        fc.integer({ min: 0, max: 10_000 }).map((fromMs) => [fromMs, Number.POSITIVE_INFINITY] as const),
        { maxLength: 1 },
      ),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  delaysMs: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 20 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 4_000 }) },
    ),
    { minLength: 5, maxLength: 60 },
  ),
  lost: fc.array(
    fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    {
      minLength: 5,
      maxLength: 60,
    },
  ),
  killFirstAtMs: fc.integer({ min: 5_000, max: 40_000 }),
  lengthMs: fc.constant(45_000),
});

const writeLimitMs = 1_000;

/** Plays the pods against one store. Real time is in ms, in steps of 5 ms. */
function play({ pods: plans, delaysMs, lost, killFirstAtMs = Infinity, lengthMs }: World) {
  const store = { revision: 0, holder: undefined as string | undefined };
  const mail: { atMs: number; to: number; deliver: () => void }[] = [];
  const log: { pod: number; atMs: number }[] = [];
  const together: number[] = [];
  let messages = 0;
  let nowMs = 0;
  let heldBy: number | undefined;
  let heldMs = 0;

  const isCut = (pod: number): boolean =>
    plans[pod]?.cutAtMs.some((atMs) => nowMs >= atMs && nowMs < atMs + 6_000) ?? false;
  const sleeps = (pod: number): boolean =>
    plans[pod]?.pausesAtMs.some((atMs) => nowMs >= atMs && nowMs < atMs + 3_000) ?? false;
  const send = (pod: number, deliver: () => void): void => {
    messages += 1;
    if (isCut(pod) || lost[messages % lost.length]) return;
    mail.push({ atMs: nowMs + (delaysMs[messages % delaysMs.length] ?? 0), to: pod, deliver });
  };

  const reaches = (pod: number): boolean =>
    !plans[pod]?.unreached?.some(([fromMs, untilMs]) => nowMs >= fromMs && nowMs < untilMs);

  const pods = plans.map(({ rate, startMs }, index) => ({
    index,
    askAtMs: 0,
    id: `pod-${index}`,
    clock: () => 1_000_000 * index + nowMs * rate,
    alive: () => nowMs >= startMs && (index !== 0 || nowMs < killFirstAtMs),
    rules: undefined as LeaseRules | undefined,
    inbox: [] as (() => void)[],
    /** A write on its way, and until when its answer can come. */
    awaited: undefined as { untilMs: number } | undefined,
  }));

  /** Sends to the pod, which receives it unless it is suspended. */
  const tell = (to: (typeof pods)[number], hear: () => void): void =>
    send(to.index, () => {
      if (!isCut(to.index)) to.inbox.push(hear);
    });
  const publish = (): void => {
    const { revision, holder } = store;
    for (const pod of pods) tell(pod, () => pod.rules?.saw(revision, holder, pod.clock()));
  };

  for (; nowMs <= lengthMs; nowMs += 5) {
    for (const letter of mail.splice(0)) {
      if (letter.atMs <= nowMs) letter.deliver();
      else mail.push(letter);
    }
    for (const pod of pods) {
      if (!pod.alive() || sleeps(pod.index)) continue;
      pod.rules ??= new LeaseRules(pod.id, pod.clock());
      const { rules } = pod;
      for (const hear of pod.inbox.splice(0)) hear();
      if (pod.awaited !== undefined && pod.clock() >= pod.awaited.untilMs) {
        pod.awaited = undefined;
        rules.failed(pod.clock());
      }
      if (rules.holds(pod.clock()) && nowMs >= pod.askAtMs) {
        pod.askAtMs = nowMs + 1_000;
        if (reaches(pod.index)) rules.reached();
        else rules.unreached(pod.clock());
      }
      if (pod.awaited !== undefined) continue;
      const deleted = rules.release();
      if (deleted !== undefined)
        send(pod.index, () => {
          if (isCut(pod.index) || store.revision !== deleted.onRevision) return;
          store.revision += 1;
          store.holder = undefined;
          publish();
        });
      if (pod.clock() < rules.nextWriteAtMs) continue;
      const sentAtMs = pod.clock();
      const { onRevision } = rules.write(sentAtMs);
      const flight = { untilMs: sentAtMs + writeLimitMs };
      pod.awaited = flight;
      const answered = (hear: () => void): void =>
        tell(pod, () => {
          if (pod.awaited !== flight) return;
          pod.awaited = undefined;
          hear();
        });
      send(pod.index, () => {
        if (isCut(pod.index)) return;
        if (store.revision !== onRevision) {
          const { revision, holder } = store;
          answered(() => {
            rules.failed(pod.clock());
            rules.found(revision, holder, pod.clock());
          });
          return;
        }
        store.revision += 1;
        store.holder = pod.id;
        const { revision } = store;
        answered(() => rules.wrote(revision, sentAtMs, pod.clock()));
        publish();
      });
    }
    const holding = pods.filter((pod) => pod.alive() && pod.rules?.holds(pod.clock()));
    if (holding.length > 1) together.push(nowMs);
    const [first] = holding;
    if (first !== undefined && first.index !== heldBy) log.push({ pod: first.index, atMs: nowMs });
    if (first !== undefined) {
      heldBy = first.index;
      heldMs += 5;
    }
  }
  return { together, log, heldMs, terms: log.length };
}
