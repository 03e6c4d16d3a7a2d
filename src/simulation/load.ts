import type { History, HistoryPoint } from './history.ts';

/** What is to be worked off, second by second. */
export interface Load {
  /** In ms since 1970, of the first second. */
  readonly startMs: number;
  /** Whole items that come in each second. */
  readonly arrivals: Float64Array;
  /** Whether the backlog was known in a second: where it was not, the scaler has no number. */
  readonly known: Uint8Array;
  /** What waits at the beginning. */
  readonly backlog: number;
  /** Replicas at the beginning, as they were asked for. */
  readonly replicas: number;
  /** How arrivals came to be known, and where nothing is; for people. */
  readonly notes: readonly string[];
}

/** What the recorded replicas are taken to have done. */
export interface Recorded {
  /** Items a second of one. */
  readonly replicaRate: number;
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
}

/** A gap is so many times the usual distance of points, and longer than this. */
const gapTimes = 5;
const leastGapMs = 60_000;

/**
 * The arrivals of a recorded history. Recorded arrivals count as they are. Others are the growth of the backlog. Where
 * something waited before and after, the possible work of the requested replicas is added. Items that came and went
 * between two points are missing. An unknown backlog is bridged by the known ones around it. Pure.
 */
export function loadOf({ points: all, hasBacklog }: History, recorded: Recorded): Load {
  const first = all.findIndex(
    ({ backlog }, i) => backlog !== undefined || all[i + 1]?.arrivals !== undefined,
  );
  const isKnown = ({ backlog, arrivals }: HistoryPoint): boolean => (backlog ?? arrivals) !== undefined;
  const points = all.slice(first, all.findLastIndex(isKnown) + 1);
  const notes = notesOf(all, points, hasBacklog);
  const startMs = points[0]?.atMs ?? 0;
  const seconds = Math.max(1, Math.round(((points.at(-1)?.atMs ?? 0) - startMs) / 1000));
  const came = arrivalsOf(points, recorded);
  const arrivals = new Float64Array(seconds);
  const known = new Uint8Array(seconds).fill(hasBacklog ? 0 : 1);
  // What has come by the end of a second, as if it came evenly between two points; only whole items are there.
  let [before, sum, told] = [0, 0, 0];
  let second = 0;
  for (const [i, items] of came.entries()) {
    const [from, to] = [points[i], points[i + 1]];
    if (from === undefined || to === undefined) break;
    const [fromSecond, toSecond] = [(from.atMs - startMs) / 1000, (to.atMs - startMs) / 1000];
    before = sum;
    sum += items;
    for (; second < seconds && second + 1 <= toSecond + 1e-9; second += 1) {
      const part = Math.min(1, Math.max(0, second + 1 - fromSecond) / (toSecond - fromSecond));
      const whole = Math.floor(before + (sum - before) * part + 1e-6);
      arrivals[second] = whole - told;
      told = whole;
      if (from.backlog !== undefined) known[second] = 1;
    }
  }
  const rest = Math.round(sum) - told;
  arrivals[seconds - 1] = (arrivals[seconds - 1] ?? 0) + Math.max(0, rest);
  return {
    startMs,
    arrivals,
    known,
    backlog: firstBacklog(points),
    replicas: replicasAt(points[0], recorded),
    notes,
  };
}

/** Where it is not known at the beginning: the first that is known, less what came until then. */
function firstBacklog(points: readonly HistoryPoint[]): number {
  const index = points.findIndex(({ backlog }) => backlog !== undefined);
  const came = points.slice(1, index + 1).reduce((sum, { arrivals }) => sum + (arrivals ?? 0), 0);
  return Math.max(0, (points[index]?.backlog ?? 0) - came);
}

/** Between each two points. */
function arrivalsOf(points: readonly HistoryPoint[], recorded: Recorded): readonly number[] {
  const came: number[] = [];
  let anchor: { readonly backlog: number } | undefined;
  let given = 0;
  let consumed = 0;
  let open: { readonly index: number; readonly ms: number }[] = [];
  for (const [i, point] of points.entries()) {
    const before = points[i - 1];
    if (before !== undefined) {
      const ms = point.atMs - before.atMs;
      consumed += (replicasAt(before, recorded) * recorded.replicaRate * ms) / 1000;
      given += point.arrivals ?? 0;
      came.push(point.arrivals ?? 0);
      if (point.arrivals === undefined) open.push({ index: i - 1, ms });
    }
    if (point.backlog === undefined) continue;
    if (anchor !== undefined && open.length > 0) {
      const worked = anchor.backlog > 0 && point.backlog > 0 ? consumed : 0;
      const missing = Math.max(0, point.backlog - anchor.backlog + worked - given);
      const openMs = open.reduce((sum, { ms }) => sum + ms, 0);
      for (const { index, ms } of open) came[index] = (missing * ms) / openMs;
    }
    anchor = { backlog: point.backlog };
    [given, consumed, open] = [0, 0, []];
  }
  return came;
}

function replicasAt(point: HistoryPoint | undefined, { minReplicaCount, maxReplicaCount }: Recorded): number {
  const { desired, active, backlog } = point ?? {};
  if (desired === undefined || active === false) {
    return Math.max(minReplicaCount, active === true || (backlog ?? 0) > 0 ? 1 : 0);
  }
  return Math.min(maxReplicaCount, Math.max(minReplicaCount, Math.ceil(desired)));
}

function notesOf(
  all: readonly HistoryPoint[],
  points: readonly HistoryPoint[],
  hasBacklog: boolean,
): string[] {
  const notes: string[] = [];
  const after = points.slice(1);
  const inferred = after.filter(({ arrivals }) => arrivals === undefined).length;
  if (inferred > 0) {
    const which = inferred === after.length ? 'Arrivals are not recorded' : `${have(inferred)} no arrivals`;
    notes.push(
      `${which}: they are estimated as the growth of the backlog, plus what the wanted replicas could finish while something waited. Items that came and went between two points are missing.`,
    );
  }
  if (all.length > points.length) {
    notes.push(
      `Left out at the ends: ${all.length - points.length} of ${all.length} points, which have no number.`,
    );
  }
  const unknown = hasBacklog ? points.filter(({ backlog }) => backlog === undefined).length : 0;
  if (unknown > 0) {
    notes.push(
      `${unknown} of ${points.length} points have no backlog. That is no zero: the scaler is played without a number there, and after maxStalenessSeconds KEDA gets an error and holds the replicas.`,
    );
  }
  const steps = after.map(({ atMs }, i) => atMs - (points[i]?.atMs ?? atMs));
  const usual = steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? 0;
  const gaps = steps.filter((ms) => ms > leastGapMs && ms > gapTimes * usual);
  if (gaps.length > 0) {
    const longest = Math.round(Math.max(...gaps) / 1000);
    const where = gaps.length === 1 ? 'a gap' : `${gaps.length} gaps, the longest`;
    notes.push(`There is ${where} of ${longest} s without any point: what came is spread evenly over it.`);
  }
  return notes;
}

function have(points: number): string {
  return points === 1 ? '1 point has' : `${points} points have`;
}
