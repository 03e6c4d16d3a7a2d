import { replicasFor } from '../scaling/metric.ts';
import type { HistoryEvent } from '../triggers/history.ts';
import type { Point } from '../triggers/points.ts';
import type { TriggerPast } from '../triggers/triggers.ts';

const mostSeconds = 168 * 3600;
/** Where nothing changes a point is repeated after this time: who replays it sees no gap. */
const repeatMs = 60_000;
const columns = ['time', 'backlog', 'arrivals', 'value', 'target', 'active', 'desired'] as const;

export interface HistoryQuery {
  /** Undefined means everything that is kept. */
  readonly seconds: number | undefined;
  readonly format: 'json' | 'csv';
}

/** `?seconds=N&format=json|csv`; else every fault there is. */
export function parseHistoryQuery(query: unknown): HistoryQuery | { faults: readonly string[] } {
  const { seconds, format = 'json', ...others } = Object.fromEntries(Object.entries(query ?? {}));
  const faults: string[] = [];
  for (const key of Object.keys(others).slice(0, 10)) {
    faults.push(`unknown query parameter ${JSON.stringify(key.slice(0, 50))}; known are seconds, format`);
  }
  const isWhole = typeof seconds === 'string' && /^\d{1,6}$/.test(seconds);
  const last = isWhole ? Number(seconds) : 0;
  if (seconds !== undefined && (last < 1 || last > mostSeconds)) {
    faults.push(`seconds must be a whole number from 1 to ${mostSeconds}`);
  }
  if (format !== 'json' && format !== 'csv') faults.push('format must be json or csv');
  if (faults.length > 0) return { faults };
  return { seconds: seconds === undefined ? undefined : last, format: format === 'csv' ? 'csv' : 'json' };
}

/** A point as it is sent. Null means unknown. `arrivals` exists only if the source counts them. */
interface PointView {
  readonly time: string;
  readonly backlog: number | null;
  readonly arrivals?: number;
  readonly value: number | null;
  readonly target: number | null;
  readonly active: boolean | null;
  readonly desired: number | null;
}

export interface HistoryView {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly source?: string;
  readonly metricName?: string;
  readonly from: string;
  readonly to: string;
  readonly points: readonly PointView[];
  readonly events: readonly (Omit<HistoryEvent, 'atMs'> & { readonly time: string })[];
}

export function historyView({ summary, points, events, nowMs }: TriggerPast): HistoryView {
  const { id, namespace, name, source, metricName } = summary;
  const shown = withoutGaps(points).map(pointView);
  return {
    id,
    namespace,
    name,
    ...(source !== '' && { source }),
    ...(metricName !== '' && { metricName }),
    from: shown[0]?.time ?? iso(nowMs),
    to: iso(nowMs),
    points: shown,
    events: events.map(({ atMs, ...event }) => ({ time: iso(atMs), ...event })),
  };
}

/** With a header; what is not known is empty. */
export function historyCsv(past: TriggerPast): string {
  const rows = withoutGaps(past.points).map((point) => {
    const view = pointView(point);
    return columns.map((column) => view[column] ?? '').join(',');
  });
  return `${[columns.join(','), ...rows].join('\n')}\n`;
}

const sparkMinutes = 60;

/** The largest value of each minute of the last hour. Null means unknown. A minute starts with the last value of the one before. */
export function sparkOf({ points, nowMs }: Pick<TriggerPast, 'points' | 'nowMs'>): (number | null)[] {
  const minutes = new Array<number | null>(sparkMinutes).fill(null);
  const fromMs = nowMs - sparkMinutes * 60_000;
  let at = 0;
  let last: number | null = null;
  const keep = (minute: number, backlog: number | null): void => {
    const most = minutes[minute] ?? null;
    if (backlog !== null && (most === null || backlog > most)) minutes[minute] = backlog;
  };
  const goTo = (minute: number): void => {
    for (; at < minute; at += 1) keep(at + 1, last);
  };
  for (const { atMs, backlog } of points) {
    const minute = Math.min(Math.max(Math.floor((atMs - fromMs) / 60_000), 0), sparkMinutes - 1);
    goTo(minute);
    last = backlog ?? null;
    keep(minute, last);
  }
  goTo(sparkMinutes - 1);
  return minutes;
}

function pointView({ atMs, backlog, arrivals, value, target, active }: Point): PointView {
  return {
    time: iso(atMs),
    backlog: backlog ?? null,
    ...(arrivals !== undefined && { arrivals }),
    value: value ?? null,
    target: target ?? null,
    active: active ?? null,
    desired: value === undefined || target === undefined ? null : replicasFor({ value, perReplica: target }),
  };
}

/**
 * A trigger without changes has only two points for that time. At a change the old and the new point have the same time, so
 * the new one is moved by a millisecond.
 */
function withoutGaps(points: readonly Point[]): readonly Point[] {
  const all: Point[] = [];
  for (const told of points) {
    const before = all.at(-1);
    const point = { ...told, atMs: Math.max(Math.floor(told.atMs), (before?.atMs ?? 0) + 1) };
    if (before && isSame(before, point)) {
      const arrivals = point.arrivals === undefined ? undefined : 0;
      for (let atMs = before.atMs + repeatMs; atMs < point.atMs; atMs += repeatMs) {
        all.push({ ...before, arrivals, atMs });
      }
    }
    all.push(point);
  }
  return all;
}

function isSame(a: Point, b: Point): boolean {
  return a.backlog === b.backlog && a.value === b.value && a.target === b.target && a.active === b.active;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
