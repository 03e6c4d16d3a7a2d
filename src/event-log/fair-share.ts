/**
 * How much each may keep of a store that all share. Those with little keep everything, those with the most lose first.
 * It is the largest whole number for which the counts, each cut to it, sum up to at most `most`.
 */
export function fairShare(counts: Iterable<number>, most: number): number {
  const ascending = [...counts].sort((a, b) => a - b);
  let left = most;
  for (const [index, count] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (count > share) return share;
    left -= count;
  }
  return most;
}
