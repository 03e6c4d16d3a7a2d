import type { JobRecord } from './record.ts';
import { Remembered } from './remembered.ts';

/** A job that is open no more. */
export interface Tombstone {
  /** In ms since 1970 by our clock. */
  readonly atMs: number;
  /** What was known of a job that is not certainly completed (not found, expired): more may bring it back. */
  readonly last?: JobRecord;
}

export class Tombstones extends Remembered<Tombstone> {
  isCompleted(jobId: number): boolean {
    const tombstone = this.get(jobId);
    return tombstone !== undefined && tombstone.last === undefined;
  }
}
