import { type Change, type Decision, Told } from './decision.ts';
import { type Histories, History, type HistoryEvent } from './history.ts';
import type { Point } from './points.ts';
import { knownOf, type Standing } from './trigger-status.ts';

/** What is kept of a trigger's past; times are of the monotonic clock, oldest first. */
export interface Past {
  readonly points: readonly Point[];
  readonly events: readonly HistoryEvent[];
}

/** What one trigger leaves behind: the decisions that it came to, its history, and its last wake and failure. */
export class Trail {
  /** What was last announced. */
  readonly told = new Told();
  lastWake: { readonly cause: string; readonly atMs: number } | undefined;
  lastError: { readonly message: string; readonly atMs: number } | undefined;
  private readonly history: History;

  constructor(namespace: string, histories: Histories) {
    this.history = new History(namespace, histories);
  }

  /** The trigger has a reading, or a failure. `cause`: of the wake that led to the reading. */
  record(standing: Standing, cause?: string): void {
    const { nowMs, measured, refusal, active, value, error } = standing;
    if (error) this.lastError = { message: error.message, atMs: nowMs };
    if (cause !== undefined) this.lastWake = { cause, atMs: nowMs };
    const { items: backlog, flow } = knownOf(standing) ?? {};
    const target = refusal ? undefined : measured?.target.perReplica;
    this.history.record({ backlog, value, target, active, flow }, nowMs);
  }

  /** Notes a change, and gives the line of it for the audit trail. `why`: the error that KEDA gets. Undefined for what was never resolved. */
  decide(change: Change, standing: Standing, cause: string | undefined, why?: string): Decision | undefined {
    const { nowMs: atMs, id, reference, measured, value, ageMs } = standing;
    if (!measured) return undefined;
    const { kind, lastedMs, surge } = change;
    const { source, connection, metricName, target } = measured;
    const because = cause ?? (lastedMs === undefined ? 'start' : 'clock');
    this.history.note({
      kind,
      atMs,
      cause: because,
      ...(surge && { surge }),
      ...(why !== undefined && { error: why }),
    });
    return {
      kind,
      trigger: { id, reference, source, connection, metricName, target },
      value,
      cause: because,
      ageMs: Number.isFinite(ageMs) ? ageMs : undefined,
      lastedMs,
      ...(surge && { surge }),
      error: why,
      atMs: Date.now(),
    };
  }

  refused({ message }: { readonly message: string }, nowMs: number): void {
    this.history.note({ kind: 'refused', atMs: nowMs, error: message });
  }

  /** The last so many ms, as far as they are kept. */
  past(lastMs: number, nowMs: number): Past {
    const fromMs = Math.max(0, nowMs - lastMs);
    return {
      points: this.history.pointsSince(fromMs, nowMs),
      events: this.history.eventsSince(fromMs),
    };
  }

  forget(): void {
    this.history.forget();
  }
}
