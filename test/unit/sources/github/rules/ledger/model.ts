import type { Job, JobStatus } from '../../../../../../src/sources/github/rules/job.ts';
import { rankOf } from '../../../../../../src/sources/github/rules/job.ts';
import type { LabelCount } from '../../../../../../src/sources/github/rules/tally.ts';
import { minuteMs, type Sighting } from './sightings.ts';

/*
 * The ledger's right answer, computed again from every report so far. Nothing is kept between two answers, so that a
 * reader can check it against the rules.
 */

interface Word {
  by: 'webhook' | 'rest';
  status: JobStatus | 'gone';
  atMs: number;
  job: Job;
}

/** The jobs that count, for all repositories or one. */
export function modelCounts(sightings: readonly Sighting[], repo?: string): string[] {
  const words = sightings.flatMap(wordsOf);
  const counts = new Map<string, LabelCount>();
  for (const jobId of new Set(words.map(({ job }) => job.jobId))) {
    const own = words.filter(({ job }) => job.jobId === jobId);
    const job = own[0]?.job;
    if (job === undefined || (repo !== undefined && job.repo !== repo)) continue;
    const status = modelStatus(own, sightings);
    if (status === 'queued' || status === 'in_progress') addTo(counts, job.labels, status);
  }
  return shown(counts.values());
}

/** Counts as text in a fixed order, to compare them. */
export function shown(counts: Iterable<LabelCount>): string[] {
  return Array.from(
    counts,
    ({ labels, queued, running }) => `${labels.join('+')}: ${queued}/${running}`,
  ).sort();
}

export function addTo(
  counts: Map<string, LabelCount>,
  labels: readonly string[],
  status: 'queued' | 'in_progress',
): void {
  const key = labels.join('+');
  const { queued, running } = counts.get(key) ?? { queued: 0, running: 0 };
  const isQueued = status === 'queued';
  counts.set(key, { labels, queued: queued + (isQueued ? 1 : 0), running: running + (isQueued ? 0 : 1) });
}

/** Undefined if the job does not count, for any reason. */
function modelStatus(words: readonly Word[], sightings: readonly Sighting[]): JobStatus | undefined {
  const job = words[0]?.job;
  if (job === undefined || attemptIsOver(job, sightings)) return undefined;
  if (words.some(({ status }) => status === 'completed')) return undefined;
  if (!words.some(isTrusted)) return undefined;
  const webhooks = words.filter(({ by }) => by === 'webhook');
  const furthest = Math.max(...webhooks.map(({ status }) => rank(status)));
  const webhook = lastOf(webhooks.filter(({ status }) => rank(status) === furthest));
  const rest = lastOf(words.filter(({ by }) => by === 'rest'));
  const restWins = rest !== undefined && (webhook === undefined || rest.atMs > webhook.atMs + 10_000);
  const status = (restWins ? rest : webhook)?.status;
  return status === 'gone' ? undefined : status;
}

function isTrusted({ by, status, job, atMs }: Word): boolean {
  if (by === 'rest') return status !== 'gone';
  return job.sinceMs === undefined || atMs - job.sinceMs <= 15 * minuteMs;
}

function attemptIsOver({ runId, runAttempt }: Job, sightings: readonly Sighting[]): boolean {
  return sightings.some((sighting) => {
    if (sighting.kind !== 'run') {
      return jobsOf(sighting).some((other) => other.runId === runId && other.runAttempt > runAttempt);
    }
    const { fact } = sighting;
    if (fact.runId !== runId) return false;
    return fact.runAttempt > runAttempt || (fact.status === 'completed' && fact.runAttempt === runAttempt);
  });
}

function jobsOf(sighting: Exclude<Sighting, { kind: 'run' }>): readonly Job[] {
  return sighting.kind === 'listing' ? sighting.jobs : [sighting.job];
}

function wordsOf(sighting: Sighting): Word[] {
  const { kind, atMs } = sighting;
  if (kind === 'run') return [];
  const by = kind === 'webhook' || kind === 'gone' ? 'webhook' : 'rest';
  const words: Word[] = jobsOf(sighting).map((job) => ({ by, status: job.status, atMs, job }));
  if (kind === 'gone')
    words.push({ by: 'rest', status: 'gone', atMs: sighting.askedAtMs, job: sighting.job });
  return words;
}

/** The newest. Of two at the same time, the further one. */
function lastOf(words: readonly Word[]): Word | undefined {
  return words.toSorted((a, b) => a.atMs - b.atMs || rank(a.status) - rank(b.status)).at(-1);
}

function rank(status: JobStatus | 'gone'): number {
  return status === 'gone' ? -1 : rankOf(status);
}
