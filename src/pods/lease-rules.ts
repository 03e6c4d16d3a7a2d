/*
 * Who may act for all pods: at most one at a time, whatever the network does. Pure. All times are in ms of the pod's
 * own monotonic clock, and no two clocks are ever compared.
 *
 * The lease is one entry of a store that knows compare-and-set by revision. Its holder writes the entry again and again.
 * Another pod takes it over when it has seen the same revision for `leaseMs`, by a write that only succeeds on that
 * revision. A holder believes in a write for `beliefMs` from when it was *sent*, once it was acknowledged. The other pod
 * saw that write no sooner than it was sent, so there is always the margin between the two; clocks may run at speeds
 * that differ by a tenth and it still holds.
 */

/** For so long another pod must have seen no new revision before it takes the lease. */
export const leaseMs = 2_500;
/** For so long a holder believes in its last write. */
export const beliefMs = 2_000;
/** How often the holder writes. */
export const renewMs = 500;
/** After a write that failed, or came too late. */
const againMs = 250;

export interface Write {
  /** The write succeeds only if this is the entry's revision; 0: there is none. */
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

  /** `id`: another for each process, and for each time the lease is wanted anew. */
  constructor(id: string, nowMs: number) {
    this.id = id;
    this.seenAtMs = nowMs;
  }

  /** Who has it as far as is known; undefined: nobody. */
  get holder(): string | undefined {
    return this.seenHolder;
  }

  /** Until when this pod may act; in the past: it may not. */
  get heldUntilMs(): number {
    return this.untilMs;
  }

  holds(nowMs: number): boolean {
    return nowMs < this.untilMs;
  }

  /** The store tells of the entry, in order. `holder` undefined: it was given back. */
  saw(revision: number, holder: string | undefined, nowMs: number): void {
    if (revision > this.revision) this.take(revision, holder, nowMs);
  }

  /** The store was asked after it had refused a write, and this is what it has; revision 0: nothing. */
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
    return { onRevision: this.revision };
  }

  /** A write succeeded that was sent at `sentAtMs`. */
  wrote(revision: number, sentAtMs: number, nowMs: number): void {
    this.saw(revision, this.id, nowMs);
    // Another's word may have come before the acknowledgement.
    if (this.seenHolder === this.id && !this.givenBack)
      this.untilMs = Math.max(this.untilMs, sentAtMs + beliefMs);
  }

  /** The pod does not want the lease any more. Where it had it, this is the entry to be deleted, so that nobody waits. */
  giveBack(): Write | undefined {
    this.givenBack = true;
    this.untilMs = Number.NEGATIVE_INFINITY;
    return this.seenHolder === this.id ? { onRevision: this.revision } : undefined;
  }

  /** A write failed, was refused, or was not acknowledged in time: it may yet have been done. */
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
    if (this.seenHolder === this.id) return Number.NEGATIVE_INFINITY;
    const givenBack = this.revision > 0 && this.seenHolder === undefined;
    return givenBack ? Number.NEGATIVE_INFINITY : this.seenAtMs + leaseMs;
  }
}
