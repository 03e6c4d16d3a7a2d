import type { ScalerError } from '../../../errors.ts';

/**
 * Offsets by partition, and why some are not known. A list, not a Map: there are several of these for each of ten
 * thousand subjects at once, nearly all of them of one partition.
 */
export interface Offsets {
  readonly values: readonly (number | undefined)[];
  readonly faults: ReadonlyMap<number, ScalerError>;
}

/** Shared, since nearly every answer has none. */
export const noFaults: Offsets['faults'] = new Map();
