import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countedAs,
  dueAtMs,
  emptyBound,
  lowerBound,
  queuedSinceMs,
  type Silence,
  statusOf,
} from '../../../../../../src/sources/github/rules/job-record.ts';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import type { LabelCount } from '../../../../../../src/sources/github/rules/tally.ts';
import { addTo, modelCounts, shown } from './model.ts';
import { heardJob, type Sighting, sighting, startMs, tell } from './sightings.ts';

const runs = { numRuns: 1000 };
const repos = [undefined, 'acme/shop', 'acme/web'];
const heard = fc.array(sighting, { maxLength: 14 });

function told(sightings: readonly Sighting[], ledger = new Ledger()): Ledger {
  for (const each of sightings) tell(ledger, each);
  return ledger;
}

function allCounts(ledger: Ledger): string[][] {
  return repos.map((repo) => shown(ledger.counts(repo)));
}

/** The same reports, each once or more often, in another order. */
function shuffled(sightings: readonly Sighting[]): fc.Arbitrary<Sighting[]> {
  const doubled = [...sightings, ...sightings];
  const length = { minLength: sightings.length, maxLength: doubled.length };
  return fc
    .shuffledSubarray(doubled, length)
    .map((some) => [...some, ...sightings.filter((each) => !some.includes(each))]);
}

describe('the ledger, whatever it hears', () => {
  it('counts like a model that computes everything again', () => {
    fc.assert(
      fc.property(heard, (sightings) => {
        expect(allCounts(told(sightings))).toEqual(repos.map((repo) => modelCounts(sightings, repo)));
      }),
      runs,
    );
  });

  it('knows how old the oldest queued job of each set of labels is, like a walk over all of them', () => {
    fc.assert(
      fc.property(heard, (sightings) => {
        const ledger = told(sightings);
        for (const repo of repos) {
          for (const { labels, queued, oldest } of ledger.counts(repo)) {
            const alike = [...ledger.records()].filter(
              (record) =>
                countedAs(record) === 'queued' &&
                (repo === undefined || record.repo === repo) &&
                record.labelSet.labels.join() === labels.join(),
            );
            const times = alike.map(queuedSinceMs).filter((ms) => ms !== undefined);
            const atLeast = times.length < queued;
            expect(oldest).toEqual(times.length === 0 ? undefined : { sinceMs: Math.min(...times), atLeast });
          }
        }
      }),
      runs,
    );
  });

  it('does not depend on order and duplicates', () => {
    const both = heard.chain((sightings) => fc.tuple(fc.constant(sightings), shuffled(sightings)));
    fc.assert(
      fc.property(both, ([sightings, again]) => {
        const one = told(sightings);
        const other = told(again);
        expect(allCounts(other)).toEqual(allCounts(one));
        expect(other.openRuns).toBe(one.openRuns);
        expect([...other.repos()].sort()).toEqual([...one.repos()].sort());
      }),
      runs,
    );
  });

  it('keeps sums that equal a recount of its jobs, after every step', () => {
    fc.assert(
      fc.property(heard, (sightings) => {
        const ledger = new Ledger();
        for (const each of sightings) {
          tell(ledger, each);
          expect(allCounts(ledger)).toEqual(repos.map((repo) => recount(ledger, repo)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reports when a count changed, and by how much REST changed it', () => {
    fc.assert(
      fc.property(heard, heardJob, (before, last) => {
        const ledger = told(before);
        const then = allCounts(ledger);
        const total = sum(ledger);
        const taken =
          last.kind === 'rest'
            ? ledger.takeRest(last.job, last.atMs)
            : { ...ledger.takeWebhook(last.job, last.atMs), opened: undefined, closed: undefined };
        if (!taken.changed) expect(allCounts(ledger)).toEqual(then);
        if (taken.opened === undefined) return;
        expect(taken.opened - taken.closed).toBe(sum(ledger) - total);
        if (taken.opened + taken.closed > 0) expect(taken.changed).toBe(true);
      }),
      runs,
    );
  });

  it('finds the due runs like a look at every job', () => {
    const silence = fc.record({ queuedMs: fc.nat({ max: 60_000 }), runningMs: fc.nat({ max: 60_000 }) });
    fc.assert(
      fc.property(heard, heard, fc.nat({ max: 120_000 }), silence, (early, late, nowMs, allowed) => {
        const ledger = told(early);
        ledger.due(startMs + nowMs, allowed);
        told(late, ledger);
        const dueMs = dueByLooking(ledger, allowed);
        const due = ledger.due(startMs + nowMs, allowed).map(({ runId }) => runId);
        const wanted = [...dueMs.keys()].filter((runId) => (dueMs.get(runId) ?? Infinity) <= startMs + nowMs);
        expect(due.toSorted()).toEqual(wanted.toSorted());
        const times = due.map((runId) => dueMs.get(runId) ?? Number.NaN);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });
});

function sum(ledger: Ledger): number {
  return [...ledger.counts()].reduce((total, { queued, running }) => total + queued + running, 0);
}

function recount(ledger: Ledger, repo: string | undefined): string[] {
  const counts = new Map<string, LabelCount>();
  for (const record of ledger.records()) {
    const status = countedAs(record);
    if (status === undefined || (repo !== undefined && record.repo !== repo)) continue;
    addTo(counts, record.labelSet.labels, status);
  }
  return shown(counts.values());
}

/** When each open run is due, by its ID. */
function dueByLooking(ledger: Ledger, silence: Silence): Map<number, number> {
  const dueMs = new Map<number, number>();
  for (const record of ledger.records()) {
    if (statusOf(record) === 'gone') continue;
    const bound = emptyBound();
    lowerBound(bound, record);
    const atMs = dueAtMs(bound, silence);
    dueMs.set(record.runId, Math.min(dueMs.get(record.runId) ?? Infinity, atMs));
  }
  return dueMs;
}
