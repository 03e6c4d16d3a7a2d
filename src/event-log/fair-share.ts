/**
 * The most that each of several may keep of what all share, so that who has little keeps it all: whatever one has more
 * than the others goes first. The largest whole number for which the counts, each cut to it, are together at most `most`.
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
