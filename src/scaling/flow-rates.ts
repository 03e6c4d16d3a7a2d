/*
 * How fast items come and go, from cumulative counts of reads that are as far apart as they happen to be. Counts have an
 * arbitrary origin, and may restart.
 */

export interface FlowSample {
  readonly atMs: number;
  /** What waits. */
  readonly items: number;
  readonly arrived?: number | undefined;
  readonly consumed?: number | undefined;
  /** The number of places (partitions) that the counts sum up. When it changes, they restart. */
  readonly places?: number | undefined;
}

/** Rates are taken over so long at least, and so many of them are kept. */
const rateSpanMs = 10_000;
const mostSpans = 5;

interface Span {
  readonly seconds: number;
  readonly arrived: number;
  readonly consumed: number | undefined;
}

/**
 * Rates of the last spans. Arrivals: the median, so that a burst, which waits already and is counted there, is not
 * expected to go on. Consumption: the mean, since commits come in lumps.
 */
export class FlowRates {
  private from: FlowSample | undefined;
  private spans: readonly Span[] = [];

  take(sample: FlowSample): void {
    const { from } = this;
    if (from === undefined || !isContinued(from, sample)) {
      this.from = sample;
      return;
    }
    const ms = sample.atMs - from.atMs;
    if (ms < rateSpanMs) return;
    const consumed = difference(from.consumed, sample.consumed);
    // Without a count of arrivals, they are at least the growth plus what has gone.
    const arrived =
      difference(from.arrived, sample.arrived) ?? Math.max(0, sample.items - from.items + (consumed ?? 0));
    this.spans = [...this.spans, { seconds: ms / 1000, arrived, consumed }].slice(-mostSpans);
    this.from = sample;
  }

  get arrivalRate(): number {
    return median(this.spans.map(({ arrived, seconds }) => arrived / seconds)) ?? 0;
  }

  get consumptionRate(): number | undefined {
    let seconds = 0;
    let sum = 0;
    for (const span of this.spans) {
      if (span.consumed === undefined) continue;
      seconds += span.seconds;
      sum += span.consumed;
    }
    return seconds === 0 ? undefined : sum / seconds;
  }
}

/** Whether counts of two reads can be compared: the same places, and no restart. */
export function isContinued(then: FlowSample, now: FlowSample): boolean {
  return (
    then.places === now.places &&
    !hasFallen(then.arrived, now.arrived) &&
    !hasFallen(then.consumed, now.consumed)
  );
}

/** A count that only one of the reads has is not continuous. */
function hasFallen(then: number | undefined, now: number | undefined): boolean {
  return then === undefined || now === undefined ? then !== now : now < then;
}

function difference(then: number | undefined, now: number | undefined): number | undefined {
  return then === undefined || now === undefined ? undefined : now - then;
}

/** Of two in the middle the lower one. */
export function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
}
