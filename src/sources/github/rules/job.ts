import { z } from 'zod';

/*
 * A job as this source sees it, from webhooks or REST. All times are ms since 1970. Each field names its clock.
 */

/**
 * The states of a job, in order. GitHub's `requested` and `pending` count as `waiting`, because neither needs a runner
 * yet.
 */
export const statuses = ['waiting', 'queued', 'in_progress', 'completed'] as const;
export type JobStatus = (typeof statuses)[number];

/** Webhooks never take a job back. REST may (`queued` → `waiting` at a gate). */
export function rankOf(status: JobStatus): number {
  return statuses.indexOf(status);
}

export interface Job {
  /** GitHub's ID of the job. A re-run gives its jobs new IDs. */
  readonly jobId: number;
  readonly runId: number;
  /** Counts from 1. A re-run of the run is the next attempt. */
  readonly runAttempt: number;
  /** `owner/name`, lower case. In the ledger it is the repository's key, because the name may change. */
  readonly repo: string;
  /** The labels in `runs-on`: trimmed, lower case, each once, sorted. Empty for `runs-on: {group: …}` alone. */
  readonly labels: readonly string[];
  readonly status: JobStatus;
  /** Since when the job has this `status`, by GitHub's clock. Undefined if GitHub does not say. */
  readonly sinceMs: number | undefined;
  /** Behind an environment's gate. A webhook says `queued` before anybody has approved it. */
  readonly gated: boolean;
}

/** The run of a job. */
export interface RunRef {
  readonly repo: string;
  readonly runId: number;
}

/**
 * Labels as they are compared: trimmed, lower case, each once, sorted. GitHub ignores case. Members that are not text
 * are dropped, since some payloads contain `null`.
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
 * The content of a webhook, as the event log keeps it: plain JSON.
 */

export interface JobFact extends Job {
  readonly kind: 'job';
  /** GitHub's ID of the repository, whose name may change. Facts of earlier versions lack it. */
  readonly repoId?: number;
  /** The App's installation on the owner. It saves a request. */
  readonly installationId?: number;
}

/** `workflow_run`: a second report about a run's jobs, for free. `completed` ends those that are still open. */
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
 * A fact from the event log, which may outlive the version of the scaler that wrote it.
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
