/*
 * How fast items come and go, from cumulative counts of reads that are as far apart as they happen to be. Counts are
 * since an origin that does not matter, and may begin anew.
 */

export interface FlowSample {
  readonly atMs: number;
  /** What waits. */
  readonly items: number;
  readonly arrived?: number | undefined;
  readonly consumed?: number | undefined;
  /** How many places (partitions) the counts are sums over: when it changes, they begin anew. */
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
    // Where nobody counts what comes, it is at least what there is more of now, and what has gone.
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

/** Whether counts of two reads can be compared: the same places, and none that began anew. */
export function isContinued(then: FlowSample, now: FlowSample): boolean {
  return (
    then.places === now.places &&
    !hasFallen(then.arrived, now.arrived) &&
    !hasFallen(then.consumed, now.consumed)
  );
}

/** A count that is there in one read only is none that goes on. */
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
