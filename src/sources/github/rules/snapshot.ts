import type { ScalerError } from '../../../errors.ts';

/** The open jobs that ask for the same labels. */
export interface LabelCount {
  /** Lower case, each once, sorted. */
  readonly labels: readonly string[];
  readonly queued: number;
  readonly running: number;
}

/** The open jobs. A live view: what is read later is newer, never older. */
export interface OpenJobs {
  /** One count for each set of labels, of all repositories or of one (`owner/name`, lower case). Never walks the jobs. */
  counts(repo?: string): Iterable<LabelCount>;
}

/** Whether repositories have been read from REST, so that their number is known. */
export type Covered =
  | { readonly kind: 'synced'; readonly confirmedAtMs: number }
  /** The others have been read; for these no number is known. `fault`: why; without one they are not there for us (404). */
  | {
      readonly kind: 'partial';
      readonly repos: readonly string[];
      readonly confirmedAtMs: number;
      readonly fault?: ScalerError;
    }
  /** Not read yet: the reason for it, and what to do. */
  | { readonly kind: 'unsynced'; readonly error: ScalerError };

/** What a reading is made from. A subject is a set of repositories of one owner. */
export interface GitHubSnapshot {
  /** `owner/name`, lower case; none: all of the owner's. */
  readonly repos: readonly string[];
  readonly jobs: OpenJobs;
  readonly covered: Covered;
}

/** What a trigger needs read: its repositories (`owner/name`, lower case); none: all of the owner's. */
export interface GitHubNeed {
  readonly repos: readonly string[];
}
