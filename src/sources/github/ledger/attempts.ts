import { Remembered } from './remembered.ts';

/** What is known of a run's attempts. */
export interface AttemptsOfRun {
  /** The first attempt that may have open jobs: all before it are over. */
  readonly firstOpen: number;
  /** In ms since 1970 by our clock. */
  readonly atMs: number;
}

/** Which attempts of which runs are over. A re-run is the next attempt of the same run. */
export class Attempts {
  private readonly runs: Remembered<AttemptsOfRun>;

  constructor(maxRuns: number) {
    this.runs = new Remembered(maxRuns);
  }

  /** Tells whether it was news. */
  learn(runId: number, { firstOpen, atMs }: AttemptsOfRun): boolean {
    if (firstOpen <= (this.runs.get(runId)?.firstOpen ?? 0)) return false;
    this.runs.set(runId, { firstOpen, atMs });
    return true;
  }

  isOver(runId: number, attempt: number): boolean {
    return attempt < (this.runs.get(runId)?.firstOpen ?? 0);
  }

  entries(): Iterable<[number, AttemptsOfRun]> {
    return this.runs.entries();
  }

  forget(nowMs: number): void {
    this.runs.forget(nowMs);
  }
}
