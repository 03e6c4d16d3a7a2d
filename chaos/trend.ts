/** Something that was measured, at a time in seconds. */
export interface Sample {
  readonly atSeconds: number;
  readonly value: number;
}

/**
 * How much the samples of the second half rise in an hour: the slope of Theil and Sen, which is the median over all
 * pairs, so that a few samples beside the others do not matter. The first half is for what fills up to its bound.
 * Throws where the second half has fewer than three samples.
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
