import type { RunRef } from '../rules/job.ts';
import type { GitHubApi } from '../upstream/api.ts';
import { isNotFound } from '../upstream/errors.ts';
import type { Correction, ReconciledLedger } from './ledger-port.ts';

export interface RunReaderOptions {
  readonly api: Pick<GitHubApi, 'jobsOf' | 'job'>;
  readonly ledger: Pick<ReconciledLedger, 'takeListing' | 'takeRest' | 'gone'>;
  readonly now: () => number;
  /** The ledger took a word of GitHub about a job of `repo`. */
  readonly corrected: (repo: string, correction: Correction) => void;
}

/** Brings the jobs of one run into the ledger. Its methods throw ScalerError where GitHub does not answer. */
export class RunReader {
  private readonly api: Pick<GitHubApi, 'jobsOf' | 'job'>;
  private readonly ledger: Pick<ReconciledLedger, 'takeListing' | 'takeRest' | 'gone'>;
  private readonly now: () => number;
  private readonly corrected: (repo: string, correction: Correction) => void;

  constructor({ api, ledger, now, corrected }: RunReaderOptions) {
    this.api = api;
    this.ledger = ledger;
    this.now = now;
    this.corrected = corrected;
  }

  /** Throws `not_found` where GitHub answers 404 for the run; the ledger is then left as it is. */
  async read(run: RunRef, signal: AbortSignal): Promise<void> {
    const { value: jobs, askedAtMs } = await this.api.jobsOf(run, signal);
    const listing = this.ledger.takeListing(run, jobs, askedAtMs);
    this.corrected(run.repo, listing);
    // A listing may lag behind a webhook, and lacks jobs while GitHub has trouble: each is asked for by its id.
    for (const jobId of listing.absent) await this.readJob({ repo: run.repo, jobId }, signal);
  }

  /** The run is gone for certain, and so are its jobs. */
  drop(run: RunRef): void {
    const askedAtMs = this.now();
    const listing = this.ledger.takeListing(run, [], askedAtMs);
    this.corrected(run.repo, listing);
    for (const jobId of listing.absent) this.corrected(run.repo, this.ledger.gone(jobId, askedAtMs));
  }

  private async readJob(ref: { repo: string; jobId: number }, signal: AbortSignal): Promise<void> {
    const askedAtMs = this.now();
    try {
      const job = await this.api.job(ref, signal);
      this.corrected(ref.repo, this.ledger.takeRest(job.value, job.askedAtMs));
    } catch (reason) {
      if (!isNotFound(reason)) throw reason;
      this.corrected(ref.repo, this.ledger.gone(ref.jobId, askedAtMs));
    }
  }
}
