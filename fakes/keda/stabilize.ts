/** What an HPA wanted at one sync, before stabilisation and limits. */
export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

/**
 * The downscale stabilisation of the HPA (stabilizeRecommendation in horizontal.go, Kubernetes 1.36): the most
 * that was wanted within the window. It can also lift above the present count, when limits kept that low before.
 */
export function stabilize(
  past: readonly Recommendation[],
  wanted: number,
  nowMs: number,
  windowMs: number,
): number {
  return within(past, nowMs, windowMs).reduce((most, { replicas }) => Math.max(most, replicas), wanted);
}

/** The recommendations with the new one; those out of the window are dropped, which bounds them. */
export function recommend(
  past: readonly Recommendation[],
  replicas: number,
  nowMs: number,
  windowMs: number,
): readonly Recommendation[] {
  return [...within(past, nowMs, windowMs), { atMs: nowMs, replicas }];
}

function within(past: readonly Recommendation[], nowMs: number, windowMs: number): readonly Recommendation[] {
  return past.filter(({ atMs }) => atMs >= nowMs - windowMs);
}
