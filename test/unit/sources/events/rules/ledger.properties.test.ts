import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ItemFact, itemStates } from '../../../../../src/sources/events/rules/fact.ts';
import { Ledger } from '../../../../../src/sources/events/rules/ledger.ts';

const fact: fc.Arbitrary<ItemFact> = fc.record({
  backlog: fc.constantFrom('a', 'b'),
  key: fc.constantFrom('1', '2', '3'),
  state: fc.constantFrom(...itemStates),
  attempt: fc.nat({ max: 2 }),
});

const ttlMs = 60_000;
const ledgerOf = () => new Ledger({ ttlMs, maxItems: 1000 });
const sinceOf = (ledger: Ledger) => [ledger.queuedSinceMs('a'), ledger.queuedSinceMs('b')];
const countsOf = (ledger: Ledger) => [ledger.counts('a'), ledger.counts('b')];

/** The counts, computed from scratch. */
function modelOf(facts: readonly ItemFact[]) {
  return ['a', 'b'].map((backlog) => {
    const counts = { queued: 0, running: 0 };
    for (const key of ['1', '2', '3']) {
      const own = facts.filter((one) => one.backlog === backlog && one.key === key);
      const attempt = Math.max(...own.map((one) => one.attempt));
      const ranks = own
        .filter((one) => one.attempt === attempt)
        .map(({ state }) => itemStates.indexOf(state));
      const state = itemStates[Math.max(...ranks)];
      if (state === 'queued' || state === 'running') counts[state] += 1;
    }
    return counts;
  });
}

/** Since when the oldest of each backlog is queued, computed from scratch. The time is the place in the list. */
function sinceModelOf(facts: readonly ItemFact[]) {
  const timed = facts.map((each, atMs) => ({ ...each, atMs }));
  return ['a', 'b'].map((backlog) => {
    const sinceMs = ['1', '2', '3'].map((key) => {
      const own = timed.filter((one) => one.backlog === backlog && one.key === key);
      const attempt = Math.max(...own.map((one) => one.attempt));
      const last = own.filter((one) => one.attempt === attempt);
      const isQueued = last.every(({ state }) => state === 'queued');
      return isQueued ? Math.min(...last.map(({ atMs }) => atMs)) : Number.POSITIVE_INFINITY;
    });
    const oldestMs = Math.min(...sinceMs);
    return Number.isFinite(oldestMs) ? oldestMs : undefined;
  });
}

describe('Ledger', () => {
  it('comes to the same, in whatever order and however often events come', () => {
    const shuffled = fc
      .array(fact, { maxLength: 30 })
      .chain((facts) =>
        fc.tuple(
          fc.constant(facts),
          fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2 }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([facts, others]) => {
        const [one, other] = [ledgerOf(), ledgerOf()];
        for (const [i, each] of facts.entries()) one.take(each, i);
        for (const [i, each] of others.entries()) other.take(each, i);
        expect(countsOf(one)).toEqual(modelOf(facts));
        expect(countsOf(other)).toEqual(modelOf(facts));
        expect(sinceOf(one)).toEqual(sinceModelOf(facts));
        expect(sinceOf(other)).toEqual(sinceModelOf(others));
      }),
      { numRuns: 500 },
    );
  });

  it('has the same result after a replay of the log, and nothing after ttlSeconds', () => {
    const steps = fc.array(fc.tuple(fact, fc.nat({ max: 2 * ttlMs })), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (all) => {
        const [live, replayed] = [ledgerOf(), ledgerOf()];
        let atMs = 0;
        const kept = all.map(([each, waitMs]) => {
          // Reads in between, because each of them may expire items.
          live.expire(atMs + waitMs / 2);
          atMs += waitMs;
          live.take(each, atMs);
          return { each, atMs };
        });
        for (const one of kept) replayed.take(one.each, one.atMs);
        const nowMs = atMs + ttlMs / 2;
        live.expire(nowMs);
        replayed.expire(nowMs);
        expect(replayed.expire(nowMs).size).toBe(0);
        expect(countsOf(replayed)).toEqual(countsOf(live));
        expect(sinceOf(replayed)).toEqual(sinceOf(live));
        live.expire(nowMs + ttlMs + 1);
        expect(countsOf(live)).toEqual(modelOf([]));
      }),
    );
  });
});
