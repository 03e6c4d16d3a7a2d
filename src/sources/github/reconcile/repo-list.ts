import { ScalerError } from '../../../errors.ts';
import { backoffMs } from '../../../retry.ts';
import type { GitHubApi } from '../upstream/api.ts';
import { mostBackoffMs } from './settings.ts';

export interface RepoListOptions {
  readonly api: Pick<GitHubApi, 'repositories'>;
  /** Whether GitHub is asked for it: not for an enterprise, and not where the repositories are configured. */
  readonly wanted: boolean;
  readonly now: () => number;
  readonly random: () => number;
}

/** The owner's repositories as GitHub lists them, and when they are listed again. */
export class RepoList {
  private readonly options: RepoListOptions;
  private readAtMs: number | undefined;
  private retryAtMs = 0;
  private failures = 0;
  private renewed = false;
  private lastError: ScalerError | undefined;

  constructor(options: RepoListOptions) {
    this.options = options;
  }

  /** Whether it has been had once, or there is none to have. */
  get listed(): boolean {
    return this.readAtMs !== undefined || !this.options.wanted;
  }

  get error(): ScalerError | undefined {
    return this.lastError;
  }

  /** The list is wrong: it is read again soon. */
  renew(): void {
    this.renewed = true;
  }

  dueAtMs(everyMs: number): number {
    if (!this.options.wanted) return Number.POSITIVE_INFINITY;
    const wantedAtMs = this.renewed || this.readAtMs === undefined ? 0 : this.readAtMs + everyMs;
    return Math.max(this.retryAtMs, wantedAtMs);
  }

  /** Throws ScalerError. */
  async read(signal: AbortSignal): Promise<{ names: readonly string[]; askedAtMs: number }> {
    const { api, now, random } = this.options;
    const askedAtMs = now();
    try {
      const names = (await api.repositories(signal)).repos.map(({ name }) => name);
      this.readAtMs = askedAtMs;
      this.renewed = false;
      this.failures = 0;
      this.lastError = undefined;
      return { names, askedAtMs };
    } catch (reason) {
      const error = ScalerError.from(reason, 'unavailable');
      if (error.retryAfterMs === undefined) {
        this.lastError = error;
        this.failures += 1;
        this.retryAtMs = now() + backoffMs(this.failures, random(), mostBackoffMs);
      }
      throw error;
    }
  }
}
