import { z } from 'zod';

/*
 * A job as this source sees it, from any informant. All times are ms since 1970. Each field names its clock.
 */

/** How far a job has come, in order. GitHub's `requested` and `pending` are `waiting` too: none of them needs a runner yet. */
export const statuses = ['waiting', 'queued', 'in_progress', 'completed'] as const;
export type JobStatus = (typeof statuses)[number];

/** A job never goes back by a webhook; REST may take it back (`queued` → `waiting` at a gate). */
export function rankOf(status: JobStatus): number {
  return statuses.indexOf(status);
}

export interface Job {
  /** GitHub's ID of the job. A re-run gives its jobs new ids. */
  readonly jobId: number;
  readonly runId: number;
  /** Counts from 1; a re-run of the run is the next attempt. */
  readonly runAttempt: number;
  /** `owner/name`, lower case; in the ledger what it knows the repository by, whose name may change. */
  readonly repo: string;
  /** What `runs-on` asks for: trimmed, lower case, each once, sorted. Empty for `runs-on: {group: …}` alone. */
  readonly labels: readonly string[];
  readonly status: JobStatus;
  /** When what `status` says came to be, by GitHub's clock; undefined where GitHub does not say. */
  readonly sinceMs: number | undefined;
  /** Behind an environment's gate: a webhook says `queued` before anybody has approved it. */
  readonly gated: boolean;
}

/** The run that a job belongs to. */
export interface RunRef {
  readonly repo: string;
  readonly runId: number;
}

/**
 * Labels as they are compared: trimmed, lower case, each once, sorted. GitHub matches them without regard to case.
 * What is no text is dropped: payloads are known to hold `null` among them.
 */
export function canonicalLabels(labels: readonly unknown[]): string[] {
  const canonical = new Set<string>();
  for (const label of labels) {
    if (typeof label !== 'string') continue;
    const name = label.trim().toLowerCase();
    if (name !== '') canonical.add(name);
  }
  return [...canonical].sort();
}

/*
 * What a webhook says, as the event log keeps it: plain JSON.
 */

export interface JobFact extends Job {
  readonly kind: 'job';
  /** GitHub's ID of the repository, whose name may change. Facts of earlier versions have none. */
  readonly repoId?: number;
  /** The App's installation on the owner, which saves asking GitHub for it. */
  readonly installationId?: number;
}

/** `workflow_run`: the second word about a run's jobs, at no cost. `completed` ends all that are still open. */
export interface RunFact {
  readonly kind: 'run';
  readonly repo: string;
  readonly repoId?: number;
  readonly runId: number;
  readonly runAttempt: number;
  readonly status: 'requested' | 'in_progress' | 'completed';
  readonly installationId?: number;
}

export type GitHubFact = JobFact | RunFact;

/*
 * A fact as it comes out of the event log, which may outlive the version of the scaler that wrote it.
 */

const id = z.int().min(1);
const common = {
  repo: z.string(),
  repoId: id.optional(),
  runId: id,
  runAttempt: id,
  installationId: id.optional(),
};

const stored = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('job'),
    jobId: id,
    labels: z.array(z.string()),
    status: z.enum(statuses),
    sinceMs: z.number().optional(),
    gated: z.boolean(),
    ...common,
  }),
  z.object({ kind: z.literal('run'), status: z.enum(['requested', 'in_progress', 'completed']), ...common }),
]);

export function isFact(value: unknown): value is GitHubFact {
  return stored.safeParse(value).success;
}
