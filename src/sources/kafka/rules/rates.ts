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

/** How far back the rates look where there are reads enough. */
const rateWindowMs = 60_000;

/** Of reads that are closer together than this only the last is kept. */
const sampleEveryMs = 5000;

/** The most samples kept of a subject: those of a window, the one before it, and the last two reads. */
export const maxSamples = rateWindowMs / sampleEveryMs + 3;

/**
 * Adds what moved since the last sample. Sums only grow, so that rates cannot be negative. While nothing moves two
 * samples are kept, however many reads there were: most subjects are at rest most of the time.
 */
export function addSample(samples: readonly Sample[], moved: Sample): readonly Sample[] {
  const last = samples.at(-1);
  const previous = samples.at(-2);
  const next = {
    takenAtMs: moved.takenAtMs,
    produced: (last?.produced ?? 0) + moved.produced,
    consumed: (last?.consumed ?? 0) + moved.consumed,
  };
  if (last === undefined || previous === undefined) return [...samples, next];
  const isDense = last.takenAtMs - previous.takenAtMs < sampleEveryMs;
  const isFlat = equal(previous, last) && equal(last, next);
  const end = isDense || isFlat ? samples.length - 1 : samples.length;
  return [...samples.slice(firstNeeded(samples, next.takenAtMs - rateWindowMs), end), next];
}

/**
 * Mean rates over the last minute, or between the last two reads if they are further apart; undefined before the
 * second read. Between two samples, what moved is taken to have moved evenly.
 */
export function ratesOf(samples: readonly Sample[]): Rates | undefined {
  const last = samples.at(-1);
  if (last === undefined || samples.length < 2) return undefined;
  const fromMs = last.takenAtMs - rateWindowMs;
  const first = firstNeeded(samples, fromMs);
  const from = sampleAt(samples[first] ?? last, samples[first + 1] ?? last, fromMs);
  const seconds = (last.takenAtMs - from.takenAtMs) / 1000;
  if (seconds <= 0) return undefined;
  return {
    producedPerSecond: (last.produced - from.produced) / seconds,
    consumedPerSecond: (last.consumed - from.consumed) / seconds,
  };
}

/** The last sample that is not after this time, or the first of all. */
function firstNeeded(samples: readonly Sample[], atMs: number): number {
  let first = 0;
  while (first + 1 < samples.length && (samples[first + 1]?.takenAtMs ?? atMs) <= atMs) first += 1;
  return first;
}

function sampleAt(before: Sample, after: Sample, atMs: number): Sample {
  if (atMs <= before.takenAtMs) return before;
  const part = (atMs - before.takenAtMs) / (after.takenAtMs - before.takenAtMs);
  return {
    takenAtMs: atMs,
    produced: before.produced + (after.produced - before.produced) * part,
    consumed: before.consumed + (after.consumed - before.consumed) * part,
  };
}

function equal(a: Sample, b: Sample): boolean {
  return a.produced === b.produced && a.consumed === b.consumed;
}
