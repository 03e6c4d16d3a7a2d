import { backoffMs } from '../../../retry.ts';
import type { RunRef } from '../rules/job.ts';
import type { ReconciledLedger } from './ledger-port.ts';
import { mostBackoffMs } from './settings.ts';

/** Several events of a run that tell the same are looked into once. */
const coalesceMs = 2_000;
/** The time that the jobs of a new run have to be heard of. */
const heardWithinMs = 10_000;
/** Beyond this many, what is lost is found by the next sweep. */
const maxWaiting = 10_000;

interface Waiting {
  readonly run: RunRef;
  readonly atMs: number;
}

interface Failed extends Waiting {
  readonly failures: number;
}

export interface LookupsOptions {
  readonly ledger: Pick<ReconciledLedger, 'due' | 'runsOf' | 'openRuns'>;
  /** How long jobs may be silent, now. */
  readonly silence: () => { queuedMs: number; runningMs: number };
  /** How often the ledger is asked who has been silent for too long. */
  readonly everyMs: number;
  readonly random: () => number;
  /** Whether GitHub answers 404 for the repository: its runs are left alone. */
  readonly isMissing: (repo: string) => boolean;
}

/** The runs that must be read, and when: one request for each run, whatever the number of its jobs. */
export class Lookups {
  private readonly options: LookupsOptions;
  /** An event told of a job whose beginning was lost. In the order of time, since all wait equally long. */
  private readonly doubtful = new Map<number, Waiting>();
  /** Runs of which no job has been heard. */
  private readonly unheard = new Map<number, Waiting>();
  private readonly failed = new Map<number, Failed>();
  private silent: RunRef[] = [];
  private lookAtMs = 0;
  /** Looks that were asked for, in whole seconds: few, since none is asked for far ahead. */
  private readonly looks = new Set<number>();

  constructor(options: LookupsOptions) {
    this.options = options;
  }

  /** Reads the run soon. Returns when. */
  soon(run: RunRef, nowMs: number): number {
    return put(this.doubtful, run, nowMs + coalesceMs);
  }

  /** Reads the run if none of its jobs is heard of in time. Returns when. */
  unlessHeard(run: RunRef, nowMs: number): number {
    return put(this.unheard, run, nowMs + heardWithinMs);
  }

  heard({ runId }: RunRef): void {
    this.unheard.delete(runId);
  }

  /** Asks the ledger at `atMs`, or up to a second later. Returns when. */
  lookAt(atMs: number): number {
    const secondMs = Math.ceil(atMs / 1000) * 1000;
    this.looks.add(secondMs);
    this.lookAtMs = Math.min(this.lookAtMs, secondMs);
    return secondMs;
  }

  nextAtMs(): number {
    if (this.silent.length > 0) return 0;
    let nextMs = this.options.ledger.openRuns > 0 ? this.lookAtMs : Number.POSITIVE_INFINITY;
    for (const waiting of [this.doubtful, this.unheard]) {
      const [first] = waiting.values();
      if (first) nextMs = Math.min(nextMs, first.atMs);
    }
    for (const { atMs } of this.failed.values()) nextMs = Math.min(nextMs, atMs);
    return nextMs;
  }

  /** The next run to read now, if there is one. */
  take(nowMs: number): RunRef | undefined {
    for (const { run, atMs } of this.failed.values()) if (atMs <= nowMs) return run;
    const doubtful = takeFirst(this.doubtful, nowMs);
    if (doubtful) return doubtful;
    for (let run = takeFirst(this.unheard, nowMs); run; run = takeFirst(this.unheard, nowMs))
      if (!this.isKnown(run)) return run;
    if (this.silent.length === 0) this.look(nowMs);
    return this.silent.shift();
  }

  /** The run has been read, or will be by others. */
  done({ runId }: RunRef): void {
    this.failed.delete(runId);
    this.doubtful.delete(runId);
  }

  /** The run could not be read. */
  fail(run: RunRef, nowMs: number): void {
    const failures = (this.failed.get(run.runId)?.failures ?? 0) + 1;
    if (failures === 1 && this.failed.size >= maxWaiting) return;
    const atMs = nowMs + backoffMs(failures, this.options.random(), mostBackoffMs);
    this.failed.set(run.runId, { run, atMs, failures });
  }

  private look(nowMs: number): void {
    const { ledger, silence, everyMs, isMissing } = this.options;
    if (nowMs < this.lookAtMs) return;
    for (const atMs of this.looks) if (atMs <= nowMs) this.looks.delete(atMs);
    this.lookAtMs = nowMs + everyMs;
    for (const atMs of this.looks) this.lookAtMs = Math.min(this.lookAtMs, atMs);
    const due = ledger.due(nowMs, silence());
    this.silent = due.filter(({ repo, runId }) => !this.failed.has(runId) && !isMissing(repo));
  }

  private isKnown({ repo, runId }: RunRef): boolean {
    return this.options.ledger.runsOf(repo).some((run) => run.runId === runId);
  }
}

function put(waiting: Map<number, Waiting>, run: RunRef, atMs: number): number {
  const known = waiting.get(run.runId);
  if (known) return known.atMs;
  if (waiting.size < maxWaiting) waiting.set(run.runId, { run, atMs });
  return atMs;
}

function takeFirst(waiting: Map<number, Waiting>, nowMs: number): RunRef | undefined {
  const [first] = waiting.values();
  if (!first || first.atMs > nowMs) return undefined;
  waiting.delete(first.run.runId);
  return first.run;
}
