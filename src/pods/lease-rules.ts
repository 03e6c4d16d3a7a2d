/*
 * Which pod may act for all: at most one at a time, whatever the network does. Pure. All times are in ms of the pod's
 * own monotonic clock, and no two clocks are ever compared.
 *
 * The lease is one entry of a store with compare-and-set by revision. Its holder keeps rewriting the entry. Another pod
 * that has seen the same revision for `leaseMs` takes it over, by a write that only succeeds on that revision. The holder
 * relies on an acknowledged write for `beliefMs` from when it was *sent*. The other pod cannot have seen that write
 * earlier. So a margin always lies between the two, even if the clocks' speeds differ by a tenth.
 */

/** How long another pod must see no new revision before it takes the lease. */
export const leaseMs = 2_500;
/** How long a holder relies on its last write. */
export const beliefMs = 2_000;
/** How often the holder writes. */
export const renewMs = 500;
/** The wait after a write that failed or came too late. */
const againMs = 250;
/** How long a holder keeps the lease while its requests to the upstream fail. Twice as long each time until one succeeds. */
export const unreachedMs = 30_000;
export const mostUnreachedMs = 900_000;
/** For `mostUnreachedMs`, a pod that gave the lease up takes it this much later than the others would. */
export const standBackMs = 5_000;

export interface Write {
  /** The write succeeds only if the entry has this revision. 0 if no entry exists. */
  readonly onRevision: number;
}

export class LeaseRules {
  private readonly id: string;
  private revision = 0;
  private seenHolder: string | undefined;
  /** When this revision was first seen. */
  private seenAtMs: number;
  private untilMs = Number.NEGATIVE_INFINITY;
  private notBeforeMs = Number.NEGATIVE_INFINITY;
  private givenBack = false;
  private failingSinceMs: number | undefined;
  private timesGivenUp = 0;
  private gaveUpAtMs = Number.NEGATIVE_INFINITY;
  /** The lease was given up: this pod neither renews its entry nor relies on it. */
  private givenUp: { isReleased: boolean } | undefined;

  /** `id` is unique: a new one for each process, and for each new attempt at the lease. */
  constructor(id: string, nowMs: number) {
    this.id = id;
    this.seenAtMs = nowMs;
  }

  /** The last known holder, or undefined. */
  get holder(): string | undefined {
    return this.seenHolder;
  }

  /** Until when this pod may act. In the past if it may not. */
  get heldUntilMs(): number {
    return this.untilMs;
  }

  holds(nowMs: number): boolean {
    return nowMs < this.untilMs;
  }

  /** The store announced the entry, in order. `holder` is undefined if the lease was given back. */
  saw(revision: number, holder: string | undefined, nowMs: number): void {
    if (revision > this.revision) this.take(revision, holder, nowMs);
  }

  /** The store refused a write, and a read then found this. Revision 0 means no entry. */
  found(revision: number, holder: string | undefined, nowMs: number): void {
    if (revision !== this.revision) this.take(revision, holder, nowMs);
  }

  /** When the next write is due. */
  get nextWriteAtMs(): number {
    return Math.max(this.notBeforeMs, this.dueAtMs());
  }

  /** The write to send now. */
  write(nowMs: number): Write {
    this.notBeforeMs = nowMs + (this.seenHolder === this.id ? renewMs : againMs);
    this.givenUp = undefined;
    return { onRevision: this.revision };
  }

  /** A write succeeded that was sent at `sentAtMs`. */
  wrote(revision: number, sentAtMs: number, nowMs: number): void {
    this.saw(revision, this.id, nowMs);
    // Another pod's write may have been announced before this acknowledgement came.
    if (this.seenHolder !== this.id || this.givenBack || this.givenUp !== undefined) return;
    if (!this.holds(nowMs)) this.failingSinceMs = undefined;
    this.untilMs = Math.max(this.untilMs, sentAtMs + beliefMs);
  }

  /** A request of this pod to the upstream was answered. */
  reached(): void {
    this.failingSinceMs = undefined;
    this.timesGivenUp = 0;
    this.gaveUpAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * A request of this pod to the upstream failed. Returns for how long all have, in ms, if the lease is given up for that:
   * another pod may reach it. If none does, the lease changes hands less and less often.
   */
  unreached(nowMs: number): number | undefined {
    if (!this.holds(nowMs)) return undefined;
    this.failingSinceMs ??= nowMs;
    const failedForMs = nowMs - this.failingSinceMs;
    if (failedForMs < Math.min(mostUnreachedMs, unreachedMs * 2 ** this.timesGivenUp)) return undefined;
    this.timesGivenUp += 1;
    this.gaveUpAtMs = nowMs;
    this.givenUp = { isReleased: false };
    this.untilMs = Number.NEGATIVE_INFINITY;
    return failedForMs;
  }

  /** The entry to delete after the lease was given up, so that no other pod has to wait. Returned once. */
  release(): Write | undefined {
    if (this.givenUp === undefined || this.givenUp.isReleased) return undefined;
    this.givenUp.isReleased = true;
    return this.seenHolder === this.id ? { onRevision: this.revision } : undefined;
  }

  /** The pod no longer wants the lease. If it had it, returns the entry to delete, so that nobody waits. */
  giveBack(): Write | undefined {
    this.givenBack = true;
    this.untilMs = Number.NEGATIVE_INFINITY;
    return this.seenHolder === this.id ? { onRevision: this.revision } : undefined;
  }

  /** A write failed, was refused, or was not acknowledged in time. It may have happened all the same. */
  failed(nowMs: number): void {
    this.notBeforeMs = nowMs + againMs;
  }

  private take(revision: number, holder: string | undefined, nowMs: number): void {
    this.revision = revision;
    this.seenHolder = holder;
    this.seenAtMs = nowMs;
    if (holder !== this.id) this.untilMs = Number.NEGATIVE_INFINITY;
  }

  private dueAtMs(): number {
    if (this.seenHolder === this.id && this.givenUp === undefined) return Number.NEGATIVE_INFINITY;
    const isFree = this.revision > 0 && this.seenHolder === undefined;
    const isLater = this.seenAtMs - this.gaveUpAtMs < mostUnreachedMs;
    return this.seenAtMs + (isFree ? 0 : leaseMs) + (isLater ? standBackMs : 0);
  }
}
