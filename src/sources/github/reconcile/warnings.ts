import type { Logger } from '../../../telemetry/log.ts';

const maxNamed = 10;

/** What an operator should know once, not each time it is so. */
export class Warnings {
  private readonly log: Logger;
  private full = false;
  private slow = false;
  private missing = 0;
  private busySinceMs: number | undefined;

  constructor(log: Logger) {
    this.log = log;
  }

  refused(jobs: number): void {
    if (jobs === 0 || this.full) return;
    this.full = true;
    this.log.warn({}, 'the ledger is full: jobs are not counted; raise maxJobs or split the connection');
  }

  missed(repos: readonly string[]): void {
    const more = repos.length > this.missing;
    this.missing = repos.length;
    if (!more) return;
    const fields = { repos: repos.slice(0, maxNamed), count: repos.length };
    this.log.warn(fields, 'GitHub does not know these repositories; triggers that name them get no number');
  }

  /** There is nothing to do, or nothing can be done: what is late then is not late by our slowness. */
  atRest(): void {
    this.busySinceMs = undefined;
  }

  /** There is work. `intervalMs`: how long a sweep of all that are active may take. */
  busy(nowMs: number, intervalMs: number): void {
    this.busySinceMs ??= nowMs;
    const busyMs = nowMs - this.busySinceMs;
    if (this.slow || busyMs <= intervalMs) return;
    this.slow = true;
    const fields = { intervalSeconds: Math.round(intervalMs / 1000), busySeconds: Math.round(busyMs / 1000) };
    this.log.warn(
      fields,
      'sweeps take longer than their interval: raise sweepSeconds or maxStalenessSeconds, or limit the connection by `repos`',
    );
  }
}
