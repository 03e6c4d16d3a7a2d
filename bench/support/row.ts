import type { Checkout } from './checkout.ts';
import type { BenchKafka } from './kafka.ts';

/** One line of the result. */
export interface Finding {
  readonly what: string;
  /** As the design states it; `-` where the line is there to compare with. */
  readonly target: string;
  readonly measured: string;
  /** Undefined where there is no target. */
  readonly met?: boolean;
  /** The same, and more, for programs; names carry units. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** What a row may use. */
export interface Bench {
  /** Fewer rounds and shorter windows: to see that it works, not to quote. */
  readonly quick: boolean;
  /** Whose scaler is measured. */
  readonly checkout: Checkout;
  progress(line: string): void;
  /** A running cluster of this many brokers, shared by the rows. */
  kafka(brokers: 1 | 3): Promise<BenchKafka>;
}

export interface Row {
  readonly name: string;
  readonly about: string;
  /** Left out of a quick run that does not name it. */
  readonly slow?: boolean;
  /** Measures code in this process and no scaler of another, so that there is nothing to compare with `--against`. */
  readonly inProcess?: boolean;
  /** Rejects where something could not be measured; a missed target is a finding. */
  measure(bench: Bench): Promise<Finding[]>;
}
