/** A measured value, and its time in seconds. */
export interface Sample {
  readonly atSeconds: number;
  readonly value: number;
}

/**
 * How much the samples of the second half rise in an hour. It is the slope of Theil and Sen, the median over all pairs,
 * which ignores a few outliers. The first half gives everything time to fill up to its bound. Throws if the second half
 * has fewer than three samples.
 */
export function risePerHour(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there is no trend of nothing');
  const middle = (first.atSeconds + last.atSeconds) / 2;
  const half = samples.filter(({ atSeconds }) => atSeconds >= middle);
  if (half.length < 3) throw new Error('there is no trend of fewer than three samples');
  const slopes = half.flatMap((from, index) =>
    half
      .slice(index + 1)
      .filter(({ atSeconds }) => atSeconds > from.atSeconds)
      .map((to) => ((to.value - from.value) / (to.atSeconds - from.atSeconds)) * 3600),
  );
  slopes.sort((a, b) => a - b);
  const middleSlope = slopes[Math.floor(slopes.length / 2)];
  if (middleSlope === undefined) throw new Error('there is no trend of one moment');
  return middleSlope;
}
