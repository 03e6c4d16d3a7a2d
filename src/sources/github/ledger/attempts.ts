import { Remembered } from './remembered.ts';

/** What is known of a run's attempts; 0: none. */
export interface AttemptsOfRun {
  /** The newest attempt that was heard of: all before it are over. */
  readonly newest: number;
  /** The newest attempt that is completed: it and all before it are over. */
  readonly completed: number;
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
  learn(runId: number, { newest, completed, atMs }: AttemptsOfRun): boolean {
    const known = this.runs.get(runId);
    if (known !== undefined && known.newest >= newest && known.completed >= completed) return false;
    this.runs.set(runId, {
      newest: Math.max(newest, known?.newest ?? 0),
      completed: Math.max(completed, known?.completed ?? 0),
      atMs: Math.max(atMs, known?.atMs ?? 0),
    });
    return true;
  }

  isOver(runId: number, attempt: number): boolean {
    const known = this.runs.get(runId);
    return known !== undefined && (attempt < known.newest || attempt <= known.completed);
  }

  entries(): Iterable<[number, AttemptsOfRun]> {
    return this.runs.entries();
  }

  forget(nowMs: number): void {
    this.runs.forget(nowMs);
  }
}
