/** What a subject's partitions had produced and consumed at one read, counted since the subject was first seen. */
export interface Sample {
  readonly takenAtMs: number;
  readonly produced: number;
  readonly consumed: number;
}

export interface Rates {
  readonly producedPerSecond: number;
  readonly consumedPerSecond: number;
}

/** The most samples kept of a subject: a minute of reads once a second. */
export const maxSamples = 60;

/** How far back the rates look where there are reads enough. */
const rateWindowMs = 60_000;

/** Adds what moved since the last sample. Sums only grow, so that rates cannot be negative. */
export function addSample(samples: readonly Sample[], moved: Sample): readonly Sample[] {
  const last = samples.at(-1);
  const produced = (last?.produced ?? 0) + moved.produced;
  const consumed = (last?.consumed ?? 0) + moved.consumed;
  return [...samples.slice(1 - maxSamples), { takenAtMs: moved.takenAtMs, produced, consumed }];
}

/** Mean rates over the last minute, or between the last two reads if they are further apart; undefined before the second read. */
export function ratesOf(samples: readonly Sample[]): Rates | undefined {
  const last = samples.at(-1);
  const previous = samples.at(-2);
  if (last === undefined || previous === undefined) return undefined;
  const inWindow = samples.find(({ takenAtMs }) => last.takenAtMs - takenAtMs <= rateWindowMs);
  const first = inWindow === undefined || inWindow === last ? previous : inWindow;
  const seconds = (last.takenAtMs - first.takenAtMs) / 1000;
  if (seconds <= 0) return undefined;
  return {
    producedPerSecond: (last.produced - first.produced) / seconds,
    consumedPerSecond: (last.consumed - first.consumed) / seconds,
  };
}
