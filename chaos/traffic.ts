import { setTimeout as sleep } from 'node:timers/promises';
import type { Backlog } from './places/place.ts';

const mostItems = 12;

/** Backlogs that grow, rest and are emptied, each in its own time, the same way for a seed. */
export class Traffic {
  private readonly backlogs: readonly Backlog[];
  private readonly random: () => number;
  private readonly stopped = new AbortController();
  private readonly loops: Promise<void>[];
  private pausing: Promise<void> | undefined;
  private readonly busy = new Set<Promise<void>>();

  constructor(backlogs: readonly Backlog[], random: () => number) {
    this.backlogs = backlogs;
    this.random = random;
    this.loops = backlogs.map((backlog) => this.drive(backlog));
  }

  /** Nothing changes until what it gives is called; resolves when nothing is under way. */
  async pause(): Promise<() => void> {
    let goOn = () => {};
    this.pausing = new Promise((resolve) => {
      goOn = () => {
        this.pausing = undefined;
        resolve();
      };
    });
    await Promise.all(this.busy);
    return goOn;
  }

  /** Leaves every second backlog with items, and the others empty. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.loops);
    await Promise.all(
      this.backlogs.map(async (backlog, index) => {
        await backlog.empty();
        if (index % 2 === 0) await backlog.grow(3 + index);
      }),
    );
  }

  private async drive(backlog: Backlog): Promise<void> {
    const { signal } = this.stopped;
    const between = (leastMs: number, mostMs: number) =>
      sleep(leastMs + this.random() * (mostMs - leastMs), undefined, { signal }).catch(() => {});
    const { boundMs } = backlog.subject;
    while (!signal.aborted) {
      // Half of the time nothing waits for so long that all have seen it.
      await between(...((this.random() < 0.5 ? [200, boundMs] : [boundMs, 2 * boundMs]) as [number, number]));
      for (let bursts = 1 + Math.floor(this.random() * 3); bursts > 0 && !signal.aborted; bursts--) {
        await this.change(() => backlog.grow(1 + Math.floor(this.random() * mostItems)));
        await between(50, boundMs);
      }
      if (!signal.aborted) await this.change(() => backlog.empty());
    }
  }

  private async change(make: () => Promise<void>): Promise<void> {
    while (this.pausing !== undefined) await this.pausing;
    const change = make();
    this.busy.add(change);
    await change.finally(() => this.busy.delete(change));
  }
}
