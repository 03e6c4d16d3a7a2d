/** Whole numbers from `from` to `to`, both of them included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A set of whole numbers: its ranges in order, none of which touches another. */
export type Ranges = readonly Range[];

/** The set of all numbers that are in any of the ranges; its members are never counted out. */
export function merged(given: readonly Range[]): Ranges {
  const result: Range[] = [];
  for (const range of given.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && range.from <= last.to + 1) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else {
      result.push(range);
    }
  }
  return result;
}

/** Whether a number is one of a set. */
export function inRanges(set: Ranges, number: number): boolean {
  let low = 0;
  let high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = set[middle];
    if (range === undefined) return false;
    if (number < range.from) high = middle - 1;
    else if (number > range.to) low = middle + 1;
    else return true;
  }
  return false;
}
