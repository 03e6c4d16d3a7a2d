import type { Checkout } from './checkout.ts';
import type { BenchKafka } from './kafka.ts';

/** A line of the result. */
export interface Finding {
  readonly what: string;
  /** As in the design. `-` for a line that only serves comparison. */
  readonly target: string;
  readonly measured: string;
  /** Undefined without a target. */
  readonly met?: boolean;
  /** The same numbers, and more, for programs. Names have units. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** What a row may use. */
export interface Bench {
  /** Fewer rounds and shorter windows: only to see that it works. */
  readonly quick: boolean;
  /** The checkout whose scaler is measured. */
  readonly checkout: Checkout;
  progress(line: string): void;
  /** A running cluster of this many brokers, shared by the rows. */
  kafka(brokers: 1 | 3): Promise<BenchKafka>;
}

export interface Row {
  readonly name: string;
  readonly about: string;
  /** Skipped in a quick run that does not name it. */
  readonly slow?: boolean;
  /** Measures code in this process instead of a scaler, so `--against` has nothing to compare. */
  readonly inProcess?: boolean;
  /** Rejects if something could not be measured. A missed target is a finding. */
  measure(bench: Bench): Promise<Finding[]>;
}
