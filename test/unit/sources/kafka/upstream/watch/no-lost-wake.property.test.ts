import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Armed, pass, Watching } from '../../../../../support/kafka/watching.ts';

const brokers = ['a:9092', 'b:9092'] as const;
const topics = ['t0', 't1', 't2', 't3', 't4'] as const;
const settings = { watchMaxWaitMs: 1000, watchPartitionsPerSession: 2, lingerMs: 3000 };

/** The partitions of each subject. They overlap. */
const subjects = [['t0/0'], ['t0/0', 't1/0'], ['t1/0', 't2/0', 't3/0'], ['t3/0', 't4/0'], ['t0/0', 't4/0']];

const subject = fc.nat(subjects.length - 1);
const topic = fc.constantFrom(...topics);
const broker = fc.constantFrom(...brokers);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), topic }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('snapshot' as const), subject }) },
  { weight: 16, arbitrary: fc.record({ do: fc.constant('arm' as const), subject }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('close' as const), subject }) },
  {
    weight: 16,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 2, 3, 50, 1500) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), topic, broker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), broker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('freeze' as const), broker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('throttle' as const), requests: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const), topic, broker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unread' as const), topic }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Held extends Armed {
  readonly ends: readonly number[];
}

/** Watches as their subjects would handle them: a snapshot first, then a watch from there, closed on demand. */
class History {
  readonly made = new Watching(settings);
  readonly held: (Held | undefined)[] = subjects.map(() => undefined);
  readonly over: Armed[] = [];
  private readonly snapshots = subjects.map((keys) => keys.map(() => 0));

  constructor() {
    for (const each of topics) this.made.cluster.create(each, brokers[0]);
  }

  async take(each: Step): Promise<void> {
    const { cluster } = this.made;
    if (each.do === 'append') cluster.append(each.topic);
    else if (each.do === 'snapshot') this.snapshot(each.subject);
    else if (each.do === 'arm') this.arm(each.subject);
    else if (each.do === 'close') this.close(each.subject);
    else if (each.do === 'pass') await pass(each.ms);
    else if (each.do === 'evict') cluster.sessions.evictAll();
    else if (each.do === 'move') cluster.move(each.topic, each.broker);
    else if (each.do === 'cut') cluster.cut(each.broker);
    else if (each.do === 'freeze') cluster.freeze(each.broker);
    else if (each.do === 'throttle') cluster.sessions.throttled = { requests: each.requests, ms: 300 };
    else if (each.do === 'unread') cluster.unreadable.add(each.topic);
    else this.recreate(each.topic, each.broker);
  }

  /** The present ends of a subject's partitions. */
  ends(at: number): number[] {
    return (subjects[at] ?? []).map((key) => this.end(key));
  }

  private end(key: string): number {
    return this.made.cluster.end(key.slice(0, -2));
  }

  private snapshot(at: number): void {
    this.snapshots[at] = this.ends(at);
  }

  private arm(at: number): void {
    if (this.held[at]) return;
    const keys = subjects[at] ?? [];
    const ends = this.snapshots[at] ?? [];
    this.held[at] = { ...this.made.arm(keys, { ends }), ends };
  }

  private close(at: number): void {
    const held = this.held[at];
    if (!held) return;
    held.watch.close();
    this.held[at] = undefined;
    this.over.push({ watch: held.watch, causes: [...held.causes] });
  }

  private recreate(name: string, leader: string): void {
    this.made.cluster.delete(name);
    this.made.cluster.create(name, leader);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('whatever happens in whatever order', () => {
  it('no record is missed, no watch stays arming, and sessions hold only watched partitions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        vi.clearAllTimers();
        const history = new History();
        for (const each of steps) await history.take(each);
        await pass(10_000);

        const wanted = new Set<string>();
        for (const [at, held] of history.held.entries()) {
          if (!held) continue;
          const { watch, causes, ends } = held;
          expect(watch.state).not.toBe('arming');
          expect(causes.length).toBeLessThanOrEqual(1);
          if (watch.state !== 'armed') continue;
          expect({ at, ends: history.ends(at), causes }).toEqual({ at, ends, causes: [] });
          for (const key of subjects[at] ?? []) {
            wanted.add(`${history.made.cluster.logs.get(key)?.leader} ${key}`);
          }
        }
        expect(history.made.cluster.sessions.contents()).toEqual([...wanted].sort());

        history.made.watcher.close();
        await pass(10);
        expect([history.made.cluster.openWires, vi.getTimerCount()]).toEqual([0, 0]);
      }),
      { numRuns: 1000 },
    );
  });
});
