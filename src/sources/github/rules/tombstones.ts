import type { JobRecord } from './job-record.ts';

/** How long GitHub redelivers a webhook on request, and so how long an end must be remembered. */
const redeliveryMs = 72 * 3_600_000;

/** Keeps values by ID for 72 h, up to a number. The oldest go first. */
export class Remembered<V extends { readonly atMs: number }> {
  private readonly limit: number;
  private readonly values = new Map<number, V>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.values.size;
  }

  get(id: number): V | undefined {
    return this.values.get(id);
  }

  /** A value that is set again counts as new. */
  set(id: number, value: V): void {
    this.values.delete(id);
    this.values.set(id, value);
    if (this.values.size > this.limit) this.dropOldest();
  }

  delete(id: number): void {
    this.values.delete(id);
  }

  /** Forgets values older than 72 h. */
  forget(nowMs: number): void {
    for (const [id, { atMs }] of this.values) {
      if (nowMs - atMs <= redeliveryMs) return;
      this.values.delete(id);
    }
  }

  /** A tenth at a time: a Map steps over every deleted entry before its first one, each time again. */
  private dropOldest(): void {
    const keep = this.limit - Math.floor(this.limit / 10);
    for (const id of this.values.keys()) {
      if (this.values.size <= keep) return;
      this.values.delete(id);
    }
  }
}

/** A job that is no longer open. */
export interface Tombstone {
  /** In ms since 1970 by our clock. */
  readonly atMs: number;
  /** The record of a job whose end is uncertain (404, expired). A later report may bring it back. */
  readonly last?: JobRecord;
}

export class Tombstones extends Remembered<Tombstone> {
  isCompleted(jobId: number): boolean {
    const tombstone = this.get(jobId);
    return tombstone !== undefined && tombstone.last === undefined;
  }
}

/** Which attempts of a run have ended. */
export interface AttemptsOfRun {
  /** The first attempt that may have open jobs. All before it have ended. */
  readonly firstOpen: number;
  /** In ms since 1970 by our clock. */
  readonly atMs: number;
}

/** Which attempts of which runs have ended. A re-run is the next attempt of the same run. */
export class Attempts {
  private readonly runs: Remembered<AttemptsOfRun>;

  constructor(maxRuns: number) {
    this.runs = new Remembered(maxRuns);
  }

  /** Returns whether this is new. */
  learn(runId: number, { firstOpen, atMs }: AttemptsOfRun): boolean {
    if (firstOpen <= (this.runs.get(runId)?.firstOpen ?? 0)) return false;
    this.runs.set(runId, { firstOpen, atMs });
    return true;
  }

  get size(): number {
    return this.runs.size;
  }

  isOver(runId: number, attempt: number): boolean {
    return attempt < (this.runs.get(runId)?.firstOpen ?? 0);
  }

  forget(nowMs: number): void {
    this.runs.forget(nowMs);
  }
}
