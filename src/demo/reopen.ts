/** KEDA waits this long after a stream has ended, then twice as long each time (external_scaler.go:242, v2.21). */
export const firstReopenMs = 2_000;
const mostReopenMs = 60_000;

export function nextReopenMs(lastMs: number): number {
  return Math.min(2 * lastMs, mostReopenMs);
}
