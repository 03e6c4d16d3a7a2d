import { setTimeout as sleep } from 'node:timers/promises';
import type { Backlog } from './places/place.ts';

const mostItems = 12;

/** Backlogs that grow, rest and are emptied, each at its own times. The same seed gives the same course. */
export class Traffic {
  private readonly backlogs: readonly Backlog[];
  private readonly random: () => number;
  private readonly stopped = new AbortController();
  private readonly loops: Promise<void>[];
  /** The last started change of each backlog. Changes come one after the other. */
  private readonly last = new Map<Backlog, Promise<void>>();

  constructor(backlogs: readonly Backlog[], random: () => number) {
    this.backlogs = backlogs;
    this.random = random;
    this.loops = backlogs.map((backlog) => this.drive(backlog));
  }

  /** Every backlog grows now. Resolves when all have. */
  async burst(items: number): Promise<void> {
    await Promise.all(this.backlogs.map((backlog) => this.change(backlog, () => backlog.grow(items))));
  }

  /**
   * Keeps some backlogs from changing until the returned function is called. Resolves when none of their changes is
   * under way.
   */
  async hold(which: (backlog: Backlog) => boolean): Promise<() => void> {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const quiet = this.backlogs.filter(which).map(
      (backlog) =>
        new Promise<void>((resolve) => {
          void this.change(backlog, () => {
            resolve();
            return held;
          });
        }),
    );
    await Promise.all(quiet);
    return letGo;
  }

  /** Leaves every second backlog with items, and the others empty. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.loops);
    await Promise.all(
      this.backlogs.map(async (backlog, index) => {
        await this.change(backlog, () => backlog.empty());
        if (index % 2 === 0) await this.change(backlog, () => backlog.grow(3 + index));
      }),
    );
  }

  private async drive(backlog: Backlog): Promise<void> {
    const { signal } = this.stopped;
    const between = (leastMs: number, mostMs: number) =>
      sleep(leastMs + this.random() * (mostMs - leastMs), undefined, { signal }).catch(() => {});
    const { boundMs } = backlog.subject;
    while (!signal.aborted) {
      // Half of the time it stays empty long enough for all to see it.
      if (this.random() < 0.5) await between(200, boundMs);
      else await between(boundMs, 2 * boundMs);
      for (let bursts = 1 + Math.floor(this.random() * 3); bursts > 0 && !signal.aborted; bursts--) {
        await this.change(backlog, () => backlog.grow(1 + Math.floor(this.random() * mostItems)));
        await between(50, boundMs);
      }
      if (!signal.aborted) await this.change(backlog, () => backlog.empty());
    }
  }

  private change(backlog: Backlog, make: () => Promise<void>): Promise<void> {
    const change = (this.last.get(backlog) ?? Promise.resolve()).then(make);
    this.last.set(backlog, change);
    return change;
  }
}
