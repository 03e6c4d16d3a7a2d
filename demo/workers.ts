import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Workload } from '../fakes/keda/mini-keda.ts';

/** A workload that can be watched and ended. */
export interface Crew extends Workload {
  /** How many members have started. */
  readonly running: number;
  close(): Promise<void>;
}

/** The source of the workers' work. */
export interface WorkQueue {
  /** Gives the worker its next work. Resolves when that is done, or when none came. Never rejects. */
  work(worker: string, stopped: AbortSignal): Promise<void> | undefined;
}

const lookEveryMs = 50;

/** As many workers as there should be replicas. A worker that must leave finishes its work first. */
export class Workers implements Crew {
  private readonly queue: WorkQueue;
  private readonly name: string;
  private readonly members: { stop: AbortController; over: Promise<void> }[] = [];
  private readonly leaving = new Set<Promise<void>>();
  private readonly closed = new AbortController();
  private hired = 0;

  /** The workers are called `name-1`, `name-2` and so on. */
  constructor(queue: WorkQueue, name: string) {
    this.queue = queue;
    this.name = name;
    // Every busy worker listens to it.
    setMaxListeners(0, this.closed.signal);
  }

  get replicas(): number {
    return this.members.length;
  }

  get running(): number {
    return this.members.length + this.leaving.size;
  }

  scale(replicas: number): void {
    while (this.members.length < replicas) this.hire();
    for (const { stop, over } of this.members.splice(replicas)) {
      stop.abort();
      this.leaving.add(over);
      void over.finally(() => this.leaving.delete(over));
    }
  }

  async close(): Promise<void> {
    this.closed.abort();
    this.scale(0);
    await Promise.all(this.leaving);
  }

  private hire(): void {
    const stop = new AbortController();
    this.members.push({ stop, over: this.serve(`${this.name}-${++this.hired}`, stop.signal) });
  }

  private async serve(name: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const work = this.queue.work(name, this.closed.signal);
      await (work ?? sleep(lookEveryMs, undefined, { signal: stop }).catch(() => {}));
    }
  }
}
