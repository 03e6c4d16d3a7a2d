import { ScalerError } from '../../../errors.ts';
import type { RunRef } from '../rules/job.ts';
import type { GitHubApi } from '../upstream/api.ts';
import { isNotFound } from '../upstream/errors.ts';
import type { ReconciledLedger } from './ledger-port.ts';
import type { Repo, Sweep } from './repo.ts';
import type { RunReader } from './run-reader.ts';

/** A repository whose runs cannot be read is not asked for all of them before it is left alone. */
const maxFailures = 3;

export type SweepStep =
  /** Some of its runs are still to be read. */
  | { readonly kind: 'underWay' }
  | { readonly kind: 'complete'; readonly startedAtMs: number }
  /** GitHub answers 404 for the repository. */
  | { readonly kind: 'missing' };

export interface SweeperOptions {
  readonly api: Pick<GitHubApi, 'openRuns'>;
  readonly ledger: Pick<ReconciledLedger, 'runsOf'>;
  readonly runs: RunReader;
  readonly now: () => number;
}

/**
 * Brings a repository's open runs into the ledger, and asks for those of the ledger that GitHub does not call
 * open. In steps of about one request, so that what is more urgent comes in between.
 */
export class Sweeper {
  private readonly api: Pick<GitHubApi, 'openRuns'>;
  private readonly ledger: Pick<ReconciledLedger, 'runsOf'>;
  private readonly runs: RunReader;
  private readonly now: () => number;

  constructor({ api, ledger, runs, now }: SweeperOptions) {
    this.api = api;
    this.ledger = ledger;
    this.runs = runs;
    this.now = now;
  }

  /** Throws ScalerError when the sweep has failed; one that GitHub only interrupts for a limit goes on later. */
  async step(repo: Repo, signal: AbortSignal): Promise<SweepStep> {
    const { sweep } = repo;
    if (!sweep) repo.sweep = await this.begin(repo.name, signal);
    else if (sweep.todo.length > 0) await this.readNext(repo, sweep, signal);
    else if (!(await this.dropGone(repo.name, sweep, signal))) repo.sweep = undefined;
    return repo.sweep ? this.outcome(repo, repo.sweep) : { kind: 'missing' };
  }

  /** Undefined where the repository is missing. */
  private async begin(name: string, signal: AbortSignal): Promise<Sweep | undefined> {
    const startedAtMs = this.now();
    // Before asking: a run that webhooks tell of meanwhile may be missing in the answer, and needs no second look.
    const known = this.ledger.runsOf(name);
    const open = await this.openRuns(name, signal);
    return open && { startedAtMs, todo: union(open, known), gone: [], error: undefined, failures: 0 };
  }

  /** Undefined where the repository is missing. */
  private async openRuns(name: string, signal: AbortSignal): Promise<readonly RunRef[] | undefined> {
    try {
      const { value: open } = await this.api.openRuns(name, signal);
      return open.map(({ runId }) => ({ repo: name, runId }));
    } catch (reason) {
      if (isNotFound(reason)) return undefined;
      throw reason;
    }
  }

  private async readNext(repo: Repo, sweep: Sweep, signal: AbortSignal): Promise<void> {
    const run = sweep.todo[0];
    if (!run) return;
    try {
      await this.runs.read(run, signal);
    } catch (reason) {
      const error = ScalerError.from(reason, 'unavailable');
      if (error.retryAfterMs !== undefined || signal.aborted) throw error;
      if (isNotFound(error)) sweep.gone.push(run);
      else this.fail(repo, sweep, error);
    }
    sweep.todo.shift();
  }

  /**
   * Ends the jobs of runs that were not there. What was not there may have been the repository, or our right to
   * read it, since GitHub answers 404 for these too: so only if the repository is still there. False: it is not.
   */
  private async dropGone(name: string, { gone }: Sweep, signal: AbortSignal): Promise<boolean> {
    if (!(await this.openRuns(name, signal))) return false;
    for (const run of gone.splice(0)) this.runs.drop(run);
    return true;
  }

  /** One run that cannot be read must not keep the others from being read. */
  private fail(repo: Repo, sweep: Sweep, error: ScalerError): void {
    sweep.error = error;
    sweep.failures += 1;
    if (sweep.failures < maxFailures) return;
    repo.sweep = undefined;
    throw error;
  }

  private outcome(repo: Repo, sweep: Sweep): SweepStep {
    if (sweep.todo.length > 0 || sweep.gone.length > 0) return { kind: 'underWay' };
    repo.sweep = undefined;
    if (sweep.error) throw sweep.error;
    return { kind: 'complete', startedAtMs: sweep.startedAtMs };
  }
}

function union(open: readonly RunRef[], known: readonly RunRef[]): RunRef[] {
  const runs = new Map<number, RunRef>();
  for (const run of [...open, ...known]) if (!runs.has(run.runId)) runs.set(run.runId, run);
  return [...runs.values()];
}
