import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Crew } from '../../workload.ts';

/** Where runners get their jobs. */
export interface JobQueue {
  /** Gives the runner a queued job that asks for no label it lacks, if there is one; resolves when it has done it. */
  work(runnerName: string, stopped: AbortSignal): Promise<void> | undefined;
}

const lookEveryMs = 50;

/** Runners, as many as replicas are asked for. One that is told to go finishes its job first. */
export class Runners implements Crew {
  private readonly queue: JobQueue;
  private readonly members: { stop: AbortController; over: Promise<void> }[] = [];
  private readonly leaving = new Set<Promise<void>>();
  private readonly closed = new AbortController();
  private hired = 0;

  constructor(queue: JobQueue) {
    this.queue = queue;
    // Every busy runner listens to it.
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
    this.members.push({ stop, over: this.serve(`runner-${++this.hired}`, stop.signal) });
  }

  private async serve(name: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const work = this.queue.work(name, this.closed.signal);
      await (work ?? sleep(lookEveryMs, undefined, { signal: stop }).catch(() => {}));
    }
  }
}
