import type { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';

/** The most reasons at a time. A further one would help nobody. */
const maxReasons = 20;
const maxPieces = 10_000;

/** Logs what cannot be read from GitHub, and when it can be again: once for each reason. */
export class Troubles {
  private readonly log: Logger;
  private readonly piecesOf = new Map<string, Set<string>>();
  private readonly reasonOf = new Map<string, string>();

  constructor(log: Logger) {
    this.log = log;
  }

  /** `piece` is what could not be read. Failures with the same `reason` count as one. */
  failed(piece: string, error: ScalerError, reason = error.message): void {
    if (this.reasonOf.get(piece) === reason) return;
    this.over(piece);
    const known = this.piecesOf.get(reason);
    if ((!known && this.piecesOf.size >= maxReasons) || this.reasonOf.size >= maxPieces) return;
    this.reasonOf.set(piece, reason);
    if (known) {
      known.add(piece);
      return;
    }
    this.piecesOf.set(reason, new Set([piece]));
    const fields = { reading: piece, code: error.code, error: error.message };
    this.log.warn(fields, 'cannot reconcile with GitHub; logged once for the same reason');
  }

  /** The piece was read, or is no longer wanted. */
  over(piece: string): void {
    const reason = this.reasonOf.get(piece);
    if (reason === undefined) return;
    this.reasonOf.delete(piece);
    const pieces = this.piecesOf.get(reason);
    pieces?.delete(piece);
    if (pieces?.size !== 0) return;
    this.piecesOf.delete(reason);
    this.log.info({ error: reason }, 'reconciles with GitHub again');
  }
}

const maxNamed = 10;

/** Warnings that an operator should get once, not each time. */
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
    this.log.warn(fields, 'GitHub does not know these repositories; triggers that name them get an error');
  }

  /** Nothing is due, or nothing can be done. What is late now is not late because we are slow. */
  atRest(): void {
    this.busySinceMs = undefined;
  }

  /** Work is due. `intervalMs` is how long a sweep of all active repositories may take. */
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
