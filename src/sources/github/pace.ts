import type { Pace } from '../source.ts';
import type { GitHubConfig } from './config.ts';
import type { GitHubParams } from './params.ts';

/** Events wake the subject; this is only for age: when the last reconcile was is told with each reading. */
const readMs = 30_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}

/** GitHub's limit for a user or a small organisation (REST, rate limits for the API). */
const requestsAnHour = 5_000;
/** What one trigger's limit on staleness may use of it. */
const share = 0.1;
/** Taken for an owner whose repositories are not named here: nobody knows how many there are. */
const supposedRepos = 100;
const leastSeconds = 60;

/**
 * Within a trigger's limit on staleness each of its repositories is read twice, a request each if nothing is open. More
 * often than that only where the operator has it read so anyway, by `sweepSeconds`.
 */
export function leastStalenessSeconds(
  { repos }: Pick<GitHubParams, 'repos'>,
  { repos: configured, sweepSeconds }: Pick<GitHubConfig, 'repos' | 'sweepSeconds'>,
): number {
  const swept = repos.length || configured?.length || supposedRepos;
  const affordable = (2 * 3_600 * swept) / (share * requestsAnHour);
  return Math.min(2 * sweepSeconds, Math.max(leastSeconds, Math.ceil(affordable)));
}
