import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beliefMs, LeaseRules, leaseMs, renewMs } from '../../../src/pods/lease-rules.ts';

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

describe('between several pods', () => {
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
      const still = { rate: 1, startMs: 0, pausesAtMs: [], cutAtMs: [] };
      const { log } = play({
        pods: [still, { ...still, startMs: 5_000 }, { ...still, startMs: 5_100 }],
        delaysMs: [5],
        lost: [false],
        killFirstAtMs: killAtMs,
        lengthMs: 20_000,
      });
      const taken = log.find(({ pod, atMs }) => pod !== 0 && atMs > killAtMs);
      expect(taken?.atMs).toBeLessThan(killAtMs + 3_000);
    }
  });

  it('would not be safe without the margin: the proof can fail', () => {
    // Clocks that differ by more than the margin allows. The first pod's runs at half the speed.
    const still = { startMs: 0, pausesAtMs: [], cutAtMs: [6_000] };
    const { together } = play({
      pods: [
        { ...still, rate: 0.5 },
        { ...still, rate: 1, startMs: 5_500, cutAtMs: [] },
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

  const isCut = (pod: number): boolean =>
    plans[pod]?.cutAtMs.some((atMs) => nowMs >= atMs && nowMs < atMs + 6_000) ?? false;
  const sleeps = (pod: number): boolean =>
    plans[pod]?.pausesAtMs.some((atMs) => nowMs >= atMs && nowMs < atMs + 3_000) ?? false;
  const send = (pod: number, deliver: () => void): void => {
    messages += 1;
    if (isCut(pod) || lost[messages % lost.length]) return;
    mail.push({ atMs: nowMs + (delaysMs[messages % delaysMs.length] ?? 0), to: pod, deliver });
  };

  const pods = plans.map(({ rate, startMs }, index) => ({
    index,
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
      if (pod.awaited !== undefined || pod.clock() < rules.nextWriteAtMs) continue;
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
    if (first !== undefined) heldBy = first.index;
  }
  return { together, log, terms: log.length };
}
