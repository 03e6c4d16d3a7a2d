import type { WebhookHeaders } from '../../inbound.ts';
import type { GitHubConfig } from '../config.ts';
import {
  canonicalLabels,
  type GitHubFact,
  type JobFact,
  type JobStatus,
  type RunFact,
  rankOf,
  statuses,
} from './job.ts';
import { repoOf } from './repo-names.ts';

/*
 * Reads GitHub's webhooks. Real payloads are odd, and a holder of the secret can send anything. An unreadable payload
 * has no fact. Nothing here throws.
 */

/** docs.github.com, "Webhook events and payloads", delivery headers. */
export const webhookHeaders: WebhookHeaders = {
  signature: 'X-Hub-Signature-256',
  event: 'X-GitHub-Event',
  delivery: 'X-GitHub-Delivery',
  hook: 'X-GitHub-Hook-ID',
};

/** GitHub allows fewer and shorter labels. More did not come from GitHub. */
const maxLabels = 100;
const maxLabelLength = 256;

type Mapping = Readonly<Record<string, unknown>>;

/** Whether the payload is about this connection's owner. */
export function owns({ owner, scope }: GitHubConfig, payload: unknown): boolean {
  const { repository, organization, enterprise } = mapping(payload);
  const said =
    scope === 'ent' ? mapping(enterprise)['slug'] : (ownerOf(repository) ?? mapping(organization)['login']);
  return typeof said === 'string' && said.toLowerCase() === owner.toLowerCase();
}

/** The fact in a `workflow_job` or `workflow_run`. Undefined for other events, and if it cannot be read. */
export function fact(event: string, payload: unknown): GitHubFact | undefined {
  if (event === 'workflow_job') return jobFact(mapping(payload));
  if (event === 'workflow_run') return runFact(mapping(payload));
  return undefined;
}

function jobFact(payload: Mapping): JobFact | undefined {
  const job = mapping(payload['workflow_job']);
  const jobId = id(job['id']);
  const runId = id(job['run_id']);
  const repo = repository(payload);
  const status = statusOf(payload['action'], job['status']);
  const labels = labelsOf(job['labels']);
  if (!jobId || !runId || !repo || !status || !labels) return undefined;
  const gated =
    payload['action'] === 'waiting' || job['status'] === 'waiting' || isGiven(payload['deployment']);
  return {
    kind: 'job',
    jobId,
    runId,
    // Payloads of old GitHub Enterprise Servers lack it.
    runAttempt: id(job['run_attempt']) ?? 1,
    repo,
    labels,
    status,
    sinceMs: sinceMs(job, status, gated),
    gated,
    ...idsOf(payload),
  };
}

/** GitHub's `requested` and `pending` jobs wait for something other than a runner. */
const jobStatuses: Readonly<Record<string, JobStatus>> = {
  requested: 'waiting',
  pending: 'waiting',
  ...Object.fromEntries(statuses.map((status) => [status, status])),
};

/**
 * The further of the event's action and the job's status, with one exception. At an environment's gate GitHub sends
 * action `queued` for a job whose status is `waiting`. It waits for an approval, which may take 30 days or never come.
 * Once it is approved, GitHub sends `queued` for a `queued` job, which counts at once. Both are `gated`, so that REST is
 * asked soon, in case GitHub has left one out.
 */
function statusOf(action: unknown, status: unknown): JobStatus | undefined {
  const byAction = known(action);
  const byStatus = known(status);
  if (byAction === undefined || byStatus === undefined) return byAction ?? byStatus;
  if (byAction === 'queued' && byStatus === 'waiting') return 'waiting';
  return rankOf(byAction) > rankOf(byStatus) ? byAction : byStatus;
}

function known(word: unknown): JobStatus | undefined {
  return typeof word === 'string' && Object.hasOwn(jobStatuses, word) ? jobStatuses[word] : undefined;
}

/** By GitHub's clock. A gated job keeps its creation time, because GitHub does not say when it was approved. */
function sinceMs(job: Mapping, status: JobStatus, gated: boolean): number | undefined {
  const createdMs = time(job['created_at']);
  const startedMs = time(job['started_at']);
  switch (status) {
    case 'waiting':
      return createdMs ?? startedMs;
    case 'queued':
      return gated ? undefined : (createdMs ?? startedMs);
    case 'in_progress':
      return startedMs ?? createdMs;
    case 'completed':
      return time(job['completed_at']) ?? startedMs ?? createdMs;
  }
}

function runFact(payload: Mapping): RunFact | undefined {
  const run = mapping(payload['workflow_run']);
  const runId = id(run['id']);
  const repo = repository(payload);
  const status = runStatusOf(payload['action'], run);
  if (!runId || !repo || !status) return undefined;
  const runAttempt = id(run['run_attempt']) ?? 1;
  return { kind: 'run', repo, runId, runAttempt, status, ...idsOf(payload) };
}

/**
 * `completed` ends jobs for good, so everything in the event must agree. GitHub also sends `completed` for a run that is
 * queued again, and for one that only waits for a maintainer's approval (`action_required`).
 */
function runStatusOf(action: unknown, { status, conclusion }: Mapping): RunFact['status'] | undefined {
  if (action === 'requested' || action === 'in_progress') return action;
  if (action !== 'completed') return undefined;
  const isOver = (status === undefined || status === 'completed') && conclusion !== 'action_required';
  return isOver ? 'completed' : 'requested';
}

function repository(payload: Mapping): string | undefined {
  const { name, full_name } = mapping(payload['repository']);
  const owner = ownerOf(payload['repository']);
  const own =
    typeof name === 'string' ? name : typeof full_name === 'string' ? full_name.split('/')[1] : undefined;
  return owner === undefined || own === undefined ? undefined : repoOf(owner, own);
}

function ownerOf(repository: unknown): string | undefined {
  const { owner, full_name } = mapping(repository);
  const { login } = mapping(owner);
  if (typeof login === 'string') return login;
  return typeof full_name === 'string' ? full_name.split('/')[0] : undefined;
}

function idsOf(payload: Mapping): { repoId?: number; installationId?: number } {
  const repoId = id(mapping(payload['repository'])['id']);
  const installationId = id(mapping(payload['installation'])['id']);
  return { ...(repoId && { repoId }), ...(installationId && { installationId }) };
}

/** An empty list if GitHub sends null. */
function labelsOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return [];
  if (value.length > maxLabels) return undefined;
  const labels = canonicalLabels(value);
  return labels.some(({ length }) => length > maxLabelLength) ? undefined : labels;
}

function id(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Go's zero time, which GitHub sends for "none", is before 1970. */
function time(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return ms > 0 ? ms : undefined;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null;
}

function mapping(value: unknown): Mapping {
  return isMapping(value) ? value : {};
}
