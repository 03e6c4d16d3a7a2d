import type { ScalerError } from '../../../errors.ts';

/** Offsets by partition, and why some are not known. */
export interface Offsets {
  readonly values: ReadonlyMap<number, number>;
  readonly faults: ReadonlyMap<number, ScalerError>;
}
