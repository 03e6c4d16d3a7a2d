import { readFile } from 'node:fs/promises';

const everyMs = 500;
/** The part of the time between two looks that may be spent waiting for a core. */
const tooMuch = 0.5;

export interface StarvationOptions {
  /** Of the scalers. This process is always included. */
  readonly pids: () => readonly number[];
  /** Called when one of them could hardly run since the last look. */
  readonly starved: () => void;
}

/** Notices when the machine is too busy to let the scalers or this process run, so that the scaler is not blamed for it. */
export class Starvation {
  /** For how long it was too busy. `lastStarvedMs` is the last time. */
  seconds = 0;
  lastStarvedMs = 0;
  private readonly options: StarvationOptions;
  private readonly waitedMs = new Map<number, number>();
  private readonly timer: NodeJS.Timeout;
  private lastMs = performance.now();

  constructor(options: StarvationOptions) {
    this.options = options;
    this.timer = setInterval(() => void this.look(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const pids = [process.pid, ...this.options.pids()];
    const waited = await Promise.all(pids.map((pid) => this.waitedSince(pid)));
    const nowMs = performance.now();
    const betweenMs = nowMs - this.lastMs;
    this.lastMs = nowMs;
    if (Math.max(...waited) < tooMuch * betweenMs) return;
    this.seconds += betweenMs / 1000;
    this.lastStarvedMs = nowMs;
    this.options.starved();
  }

  /**
   * How long its main thread has waited for a core since the last look, in ms (sched-stats(5): the second number, in
   * ns).
   */
  private async waitedSince(pid: number): Promise<number> {
    const text = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0 0 0');
    const nowMs = Number(text.split(' ')[1]) / 1e6;
    const before = this.waitedMs.get(pid) ?? nowMs;
    this.waitedMs.set(pid, nowMs);
    return nowMs - before;
  }
}
