const baseMs = 1000;
const maxMs = 60_000;

/** How long to leave alone what has failed: from one second, doubled to a minute, ± 20 %. `random` is in [0, 1). */
export function backoffMs(failures: number, random: number): number {
  const doubled = Math.min(baseMs * 2 ** Math.min(failures - 1, 16), maxMs);
  return doubled * (0.8 + 0.4 * random);
}
