import { type FlowSample, isContinued, median } from './flow-rates.ts';

export interface WorkSample extends FlowSample {
  /** How many consumers share the work; absent while they change, or are not known. */
  readonly consumers?: number | undefined;
  /** False: some of them have nothing to do for certain. */
  readonly saturated?: boolean | undefined;
}

/** How long a measurement of the replicas' rate lasts at least, and at most; how many are kept. */
const measureMs = 30_000;
const longestMeasureMs = 600_000;
const mostMeasures = 5;
/** How long consumers are left to begin their work when their number has changed. */
const warmUpMs = 30_000;
/** All consumers have work for certain where so much of it waits. */
const saturatedSeconds = 10;
/** Throughput that is less than before by more than this is slower. */
const slowerPart = 0.1;
/** So many measurements in a row have to be slower. */
const slowerTimes = 2;
/** How old the measurement with fewer consumers may be. */
const comparedMs = 600_000;
/** How long no more replicas are tried: the first time, and at most. */
const slowerRestMs = { first: 600_000, most: 3_600_000 } as const;

interface Measure {
  readonly atMs: number;
  readonly consumers: number;
  /** Items a second of all of them. */
  readonly throughput: number;
}

interface Measuring {
  readonly from: WorkSample;
  /** The least that waited since. */
  leastItems: number;
}

/**
 * How fast one replica is, from what a group works off while all of its members have work; and how many members were
 * faster than more of them. A measurement begins and ends where a commit has just moved, since commits come in lumps.
 */
export class ReplicaRate {
  private last: WorkSample | undefined;
  private changedAtMs: number | undefined;
  private measuring: Measuring | undefined;
  private rates: readonly number[] = [];
  private current: Measure | undefined;
  /** The last one with fewer consumers than there are now. */
  private fewer: Measure | undefined;
  private slower = 0;
  private limit: { readonly replicas: number; readonly untilMs: number } | undefined;
  private restMs: number = slowerRestMs.first;

  /** Items a second of one; undefined until it has been measured. */
  get rate(): number | undefined {
    return median(this.rates);
  }

  /** How many replicas are not to be exceeded, since more were slower. */
  limitAt(atMs: number): number | undefined {
    return this.limit && atMs < this.limit.untilMs ? this.limit.replicas : undefined;
  }

  take(sample: WorkSample): void {
    const { last } = this;
    this.last = sample;
    const { atMs, items, consumed, consumers = 0, saturated } = sample;
    if (last === undefined || last.consumers !== sample.consumers) this.changedAtMs = atMs;
    const ready = atMs - (this.changedAtMs ?? atMs) >= warmUpMs;
    if (
      last === undefined ||
      !ready ||
      consumers === 0 ||
      saturated === false ||
      !isContinued(last, sample)
    ) {
      this.measuring = undefined;
      return;
    }
    const { measuring } = this;
    if (measuring) measuring.leastItems = Math.min(measuring.leastItems, items);
    if (consumed === undefined || last.consumed === undefined || consumed <= last.consumed) return;
    const ms = measuring ? atMs - measuring.from.atMs : Number.POSITIVE_INFINITY;
    if (ms < measureMs) return;
    if (measuring && ms <= longestMeasureMs) {
      const throughput = (consumed - (measuring.from.consumed ?? consumed)) / (ms / 1000);
      if (throughput > 0 && measuring.leastItems >= saturatedSeconds * throughput) {
        this.measured({ atMs, consumers, throughput });
      }
    }
    this.measuring = { from: sample, leastItems: items };
  }

  private measured(measure: Measure): void {
    const { consumers, throughput, atMs } = measure;
    this.rates = [...this.rates, throughput / consumers].slice(-mostMeasures);
    const before = this.current;
    this.current = measure;
    if (before && consumers !== before.consumers) {
      this.fewer = consumers > before.consumers ? before : undefined;
      this.slower = 0;
    }
    const { fewer } = this;
    if (!fewer || atMs - fewer.atMs > comparedMs) return;
    if (throughput >= (1 - slowerPart) * fewer.throughput) {
      this.slower = 0;
      this.limit = undefined;
      this.restMs = slowerRestMs.first;
      return;
    }
    this.slower += 1;
    if (this.slower < slowerTimes || this.limitAt(atMs) !== undefined) return;
    this.limit = { replicas: fewer.consumers, untilMs: atMs + this.restMs };
    this.restMs = Math.min(2 * this.restMs, slowerRestMs.most);
  }
}
