import type { Flow } from '../sources/source.ts';
import type { DecisionKind, SurgeCourse } from './decision.ts';
import { backlogOf, type Point, Points, pointBytes, pointsOverheadBytes } from './points.ts';

/** How much is kept of all triggers together. */
export interface HistoryLimits {
  /** 0: nothing is kept. */
  readonly hours: number;
  readonly bytes: number;
}

/** A trigger as a reading, or a failure, has left it. */
export interface Recorded extends Omit<Point, 'atMs' | 'arrivals'> {
  /** What has come so far, where the source counts it. */
  readonly flow?: Pick<Flow, 'arrived' | 'places'> | undefined;
}

export interface HistoryEvent {
  readonly kind: DecisionKind | 'refused';
  /** Of the monotonic clock. */
  readonly atMs: number;
  readonly cause?: string;
  /** Cut to a few hundred characters. */
  readonly error?: string;
  readonly surge?: SurgeCourse;
}

/** Readings within this time become two points at most: the largest backlog, and the last. */
export const fineMs = 10_000;
/** A history starts with room for so many points; with twice as many whenever it is full, up to the most. */
export const leastPoints = 8;
export const mostPoints = 8_192;
const mostEvents = 50;
const mostErrorCharacters = 300;
const eventBytes = 200;
/** How many other histories are checked when room is needed. Each time continues where the last one ended. */
const lookedAtATime = 64;

interface Usage {
  bytes: number;
  histories: number;
}

/**
 * The room for all histories. Who asks for more than there is gets it from those that have more than their share: each
 * namespace has an equal one, and in it each trigger.
 */
export class Histories {
  private limits: HistoryLimits = { hours: 0, bytes: 0 };
  private readonly kept = new Set<History>();
  private readonly usedBy = new Map<string, Usage>();
  private used = 0;

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.used;
  }

  get keptForMs(): number {
    return this.limits.hours * 3_600_000;
  }

  /** Takes changed settings; what is too much for them is forgotten. */
  use(limits: HistoryLimits): void {
    this.limits = limits;
    if (limits.hours === 0) for (const history of [...this.kept]) history.forget();
    while (this.used > limits.bytes) {
      const share = limits.bytes / this.kept.size;
      for (const history of [...this.kept]) if (history.bytes > share) history.shrink();
    }
  }

  /** Whether a history may have so many bytes more; they count for it at once. */
  take(history: History, bytes: number): boolean {
    if (!this.hasRoom(bytes) && !this.reclaim(history, bytes)) return false;
    const own = this.usedBy.get(history.namespace) ?? { bytes: 0, histories: 0 };
    this.usedBy.set(history.namespace, own);
    if (history.bytes === 0) {
      own.histories += 1;
      this.kept.add(history);
    }
    own.bytes += bytes;
    this.used += bytes;
    return true;
  }

  /** So many bytes are free again; `history` has those `left`. */
  give(history: History, bytes: number, left: number): void {
    const own = this.usedBy.get(history.namespace);
    this.used -= bytes;
    if (!own) return;
    own.bytes -= bytes;
    if (left > 0) return;
    this.kept.delete(history);
    own.histories -= 1;
    if (own.histories === 0) this.usedBy.delete(history.namespace);
  }

  private hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.limits.bytes;
  }

  private reclaim(asking: History, bytes: number): boolean {
    const { namespace } = asking;
    const own = this.usedBy.get(namespace);
    const share = this.limits.bytes / (this.usedBy.size + (own ? 0 : 1));
    if ((own?.bytes ?? 0) + bytes > share) return false;
    if (own && asking.bytes > 0 && asking.bytes + bytes > share / own.histories) return false;
    let looked = 0;
    for (const other of this.kept) {
      looked += 1;
      if (looked > Math.min(lookedAtATime, this.kept.size)) break;
      // To the end, so that the others have their turn next time.
      this.kept.delete(other);
      this.kept.add(other);
      const theirs = this.usedBy.get(other.namespace);
      if (!theirs || other === asking || other.bytes <= share / theirs.histories) continue;
      const isOwn = other.namespace === namespace;
      if (isOwn ? !other.isSmallest : theirs.bytes > share) other.shrink();
      if (this.hasRoom(bytes)) return true;
    }
    return this.hasRoom(bytes);
  }
}

/**
 * What one trigger was like in the last hours: fine for what is recent, coarser for what is older where room is scarce.
 * A trigger that has always been quiet, or always unknown, takes nothing. No timer, and no work but when a reading comes.
 */
export class History {
  readonly namespace: string;
  private readonly all: Histories;
  private points: Points | undefined;
  /** Whether the last point says that it was still as the one before. */
  private goesOn = false;
  private noted: readonly HistoryEvent[] = none;
  private notedBytes = 0;
  /** Since when it has been like this, and nothing else before. */
  private steady: Point | undefined;
  private flow: Recorded['flow'];

  constructor(namespace: string, all: Histories) {
    this.namespace = namespace;
    this.all = all;
  }

  /** What it counts for. */
  get bytes(): number {
    return (this.points ? bytesFor(this.points.capacity) : 0) + this.notedBytes;
  }

  get isSmallest(): boolean {
    return this.points === undefined || this.points.capacity <= leastPoints;
  }

  /** Takes what the trigger is like now. */
  record(state: Recorded, nowMs: number): void {
    if (this.all.keptForMs === 0) return;
    const arrivals = this.arrivalsOf(state);
    this.forgetOld(nowMs);
    const { backlog, value, target, active } = state;
    const point = { atMs: nowMs, backlog, arrivals, value, target, active };
    if (!this.points && !this.begin(point)) return;
    this.add(point);
    if (this.noted === none && this.isSteadyAgain()) this.forget(this.points?.at(0));
  }

  note(event: HistoryEvent): void {
    if (this.all.keptForMs === 0) return;
    const { error, ...rest } = event;
    const cut = error?.slice(0, mostErrorCharacters);
    const bytes = eventBytes + 2 * (cut?.length ?? 0);
    if (this.noted.length >= mostEvents) this.dropOldestEvent();
    while (!this.all.take(this, bytes)) {
      if (this.noted.length === 0) return;
      this.dropOldestEvent();
    }
    this.notedBytes += bytes;
    // A copy of its characters: a part of a long text would keep all of it.
    this.noted = [
      ...this.noted,
      { ...rest, ...(cut !== undefined && { error: Buffer.from(cut).toString() }) },
    ];
  }

  /** The points from that time on, oldest first; the first one says what was then. What is now was recorded before. */
  pointsSince(fromMs: number, nowMs: number): readonly Point[] {
    if (!this.points) {
      if (!this.steady) return [];
      const sinceMs = Math.max(this.steady.atMs, fromMs);
      const { steady } = this;
      return [sinceMs, ...(sinceMs < nowMs ? [nowMs] : [])].map((atMs) => ({ ...steady, atMs }));
    }
    const found: Point[] = [];
    for (let place = this.points.size - 1; place >= 0; place -= 1) {
      const point = this.points.at(place);
      found.push(point.atMs < fromMs ? { ...point, atMs: fromMs } : point);
      if (point.atMs <= fromMs) break;
    }
    return found.reverse();
  }

  /** Oldest first. */
  eventsSince(fromMs: number): readonly HistoryEvent[] {
    return this.noted.filter(({ atMs }) => atMs >= fromMs);
  }

  /** Gives half of its room back; all, where it has the least. */
  shrink(): void {
    const { points } = this;
    if (!points || points.capacity <= leastPoints) {
      this.forget();
      return;
    }
    const capacity = points.capacity / 2;
    while (points.size > capacity) points.thin(points.size);
    points.resize(capacity);
    this.all.give(this, capacity * pointBytes, this.bytes);
  }

  /** Gives all of its room back. `steady`: what it is like, and since when. */
  forget(steady?: Point): void {
    const { bytes } = this;
    this.points = undefined;
    this.noted = none;
    this.notedBytes = 0;
    this.steady = steady;
    if (bytes > 0) this.all.give(this, bytes, 0);
  }

  /** What came since the last reading, where both counted the same. */
  private arrivalsOf({ flow }: Recorded): number | undefined {
    const before = this.flow;
    if (!flow) return undefined;
    this.flow = flow;
    if (!before || before.places !== flow.places || flow.arrived < before.arrived) return undefined;
    return flow.arrived - before.arrived;
  }

  /** Whether there is a place for points; none is made while the trigger is as it always was. */
  private begin(point: Point): boolean {
    const kind = steadyKind(point);
    if (kind !== undefined && (!this.steady || steadyKind(this.steady) === kind)) {
      this.steady ??= { ...point, arrivals: undefined };
      return false;
    }
    if (!this.all.take(this, bytesFor(leastPoints))) return false;
    this.points = new Points(leastPoints);
    this.goesOn = false;
    if (this.steady) {
      const fromMs = Math.max(this.steady.atMs, point.atMs - this.all.keptForMs);
      this.points.push({ ...this.steady, atMs: fromMs });
      this.points.push({ ...this.steady, atMs: point.atMs });
      this.goesOn = true;
    }
    this.steady = undefined;
    return true;
  }

  private add(point: Point): void {
    const { points } = this;
    if (!points) return;
    const last = points.size - 1;
    const isSame = last >= 0 && points.isSameAt(last, point);
    if (isSame && this.goesOn) {
      // As it was for longer than two points: the second one moves.
      points.put(last, { ...point, arrivals: sum(points.at(last).arrivals, point.arrivals) });
      return;
    }
    const interval = Math.floor(point.atMs / fineMs);
    const isWithin = (place: number): boolean =>
      place >= 0 && Math.floor(points.timeAt(place) / fineMs) === interval;
    // What ends a time without change stays, or it would look like a slow change.
    if (!isWithin(last) || (this.goesOn && !isWithin(last - 1))) {
      this.push(point);
      this.goesOn = isSame;
      return;
    }
    this.goesOn = false;
    const before = points.at(last);
    const merged = { ...point, arrivals: sum(before.arrivals, point.arrivals) };
    if (isWithin(last - 1) && (isWithin(last - 2) || !isRunEnd(points, last - 1))) {
      const peak = points.at(last - 1);
      if (backlogOf(point) < backlogOf(peak)) {
        points.put(last, merged);
      } else {
        points.put(last, { ...merged, arrivals: sum(peak.arrivals, merged.arrivals) });
        points.removeBefore(last);
      }
    } else if (backlogOf(point) >= backlogOf(before)) {
      points.put(last, merged);
    } else {
      this.push(point);
    }
  }

  private push(point: Point): void {
    const { points } = this;
    if (!points) return;
    if (points.isFull) {
      const { capacity } = points;
      const more = capacity < mostPoints && this.all.take(this, capacity * pointBytes);
      // The room may have come from this history's own namespace, never from itself.
      if (more) points.resize(2 * capacity);
      else points.thin(Math.floor(points.size / 2));
    }
    points.push(point);
  }

  private forgetOld(nowMs: number): void {
    const fromMs = nowMs - this.all.keptForMs;
    this.points?.dropBefore(fromMs);
    for (let [oldest] = this.noted; oldest && oldest.atMs < fromMs; [oldest] = this.noted)
      this.dropOldestEvent();
  }

  private dropOldestEvent(): void {
    const [oldest, ...left] = this.noted;
    if (!oldest) return;
    const bytes = eventBytes + 2 * (oldest.error?.length ?? 0);
    this.noted = left.length === 0 ? none : left;
    this.notedBytes -= bytes;
    this.all.give(this, bytes, this.bytes);
  }

  /** Whether every kept point is the same quiet or unknown state. */
  private isSteadyAgain(): boolean {
    const { points } = this;
    return points?.size === 2 && steadyKind(points.at(1)) !== undefined && isRunEnd(points, 1);
  }
}

const none: readonly never[] = [];

function bytesFor(capacity: number): number {
  return capacity * pointBytes + pointsOverheadBytes;
}

function steadyKind({ backlog, arrivals, value, active }: Point): 'quiet' | 'unknown' | undefined {
  if (arrivals) return undefined;
  if (backlog === 0 && value === 0 && active === false) return 'quiet';
  return backlog === undefined && value === undefined && active === undefined ? 'unknown' : undefined;
}

/** Whether a point says no more than the one before. */
function isRunEnd(points: Points, place: number): boolean {
  return place >= 1 && points.isSameAt(place - 1, points.at(place));
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
