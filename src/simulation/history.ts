import { printable, quote } from '../printable.ts';

/** What was recorded of a trigger at one moment; undefined is not known, and never zero. */
export interface HistoryPoint {
  /** In ms since 1970. */
  readonly atMs: number;
  /** Items that waited. */
  readonly backlog: number | undefined;
  /** Items that came since the point before. */
  readonly arrivals: number | undefined;
  /** Replicas that KEDA was asked for. */
  readonly desired: number | undefined;
  readonly active: boolean | undefined;
}

export interface History {
  /** Two at least, each later than the one before. */
  readonly points: readonly HistoryPoint[];
  /** Whether it is recorded when the backlog was not known; without backlogs nothing is. */
  readonly hasBacklog: boolean;
}

export type ReadHistory = { readonly history: History } | { readonly faults: readonly string[] };

/** A week of a point every three seconds, more than the flight recorder keeps. */
export const maxHistoryBytes = 16 * 1024 * 1024;
export const maxHistoryPoints = 200_000;
export const maxHistorySeconds = 7 * 86_400;
/** Of a CSV; a row of the recorder has a hundred. */
const maxLineCharacters = 65_536;
/** After that many nobody reads on. */
const maxFaults = 20;

/**
 * Reads a history: the CSV or the JSON of `/api/triggers/{id}/history`. Of a CSV the columns may be in any order, and
 * others are passed over; `time` is needed, and `backlog` or `arrivals`. Never throws for bad input. Reports
 * every fault as `FILE:LINE: …`, or `FILE: points[I]: …` of JSON.
 */
export function readHistory(text: string, file: string): ReadHistory {
  const faults: string[] = [];
  if (Buffer.byteLength(text) > maxHistoryBytes) {
    return { faults: [`${file}: is larger than ${maxHistoryBytes} bytes`] };
  }
  const plain = text.replace(/^\uFEFF/, '').trimStart();
  const rows = plain.startsWith('{') ? rowsOfJson(plain) : rowsOfCsv(plain);
  if (typeof rows === 'string') return { faults: [`${file}: ${rows}`] };
  const points: HistoryPoint[] = [];
  let last: { readonly where: string; readonly atMs: number } | undefined;
  for (const { where, fields } of rows) {
    const fault = (message: string): void => {
      faults.push(printable(`${file}${where}: ${message}`));
    };
    if (faults.length >= maxFaults) break;
    const atMs = timeOf(fields['time'], fault);
    if (last !== undefined && atMs !== undefined && atMs <= last.atMs) {
      const how = atMs === last.atMs ? 'is that' : 'is before that';
      fault(`time: ${how} of the row before; rows must be sorted by time, each with a time of its own`);
    }
    if (atMs !== undefined) last = { where, atMs };
    points.push({
      atMs: atMs ?? 0,
      backlog: countOf('backlog', fields, fault),
      arrivals: countOf('arrivals', fields, fault),
      desired: countOf('desired', fields, fault),
      active: flagOf(fields['active'], fault),
    });
  }
  if (faults.length === 0) faults.push(...wholeFaults(points).map((message) => `${file}: ${message}`));
  return faults.length > 0
    ? { faults }
    : { history: { points, hasBacklog: points.some(({ backlog }) => backlog !== undefined) } };
}

interface Row {
  /** `:3`, or ` points[2]`. */
  readonly where: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function rowsOfJson(text: string): readonly Row[] | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return 'is not JSON';
  }
  const points = isRecord(parsed) ? parsed['points'] : undefined;
  if (!Array.isArray(points)) return 'has no list of points; /api/triggers/{id}/history answers with one';
  if (points.length > maxHistoryPoints) return tooMany(points.length);
  return points.map((point: unknown, i) => ({
    where: `: points[${i}]`,
    fields: isRecord(point) ? point : {},
  }));
}

function rowsOfCsv(text: string): readonly Row[] | string {
  const lines = text.split(/\r?\n/);
  const long = lines.findIndex(({ length }) => length > maxLineCharacters);
  if (long >= 0) return `line ${long + 1} has more than ${maxLineCharacters} characters, as no row has`;
  const header = cells(lines[0] ?? '').map((name) => name.trim());
  if (!header.includes('time') || !(header.includes('backlog') || header.includes('arrivals'))) {
    return `must be CSV with a header that has time, and backlog or arrivals, got ${quote(lines[0] ?? '')}`;
  }
  const columns = ['time', 'backlog', 'arrivals', 'desired', 'active'].filter((name) =>
    header.includes(name),
  );
  for (const name of columns) {
    if (header.indexOf(name) !== header.lastIndexOf(name)) return `has two columns ${name}`;
  }
  const rows: Row[] = [];
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === '') continue;
    if (rows.length === maxHistoryPoints) return tooMany(lines.length - 1);
    const values = cells(line);
    const fields = Object.fromEntries(columns.map((name) => [name, values[header.indexOf(name)]?.trim()]));
    rows.push({ where: `:${i + 1}`, fields });
  }
  return rows;
}

function tooMany(points: number): string {
  return `has ${points} points, at most are ${maxHistoryPoints}: cut it, or make its points fewer`;
}

/** Of one line; quotes as RFC 4180 has them, but no line break within. */
function cells(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const found = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...found].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Say = (message: string) => void;

const iso = /^(\d{4}-\d\d-(\d\d))T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

function timeOf(value: unknown, fault: Say): number | undefined {
  const [text, date = '', day] = (typeof value === 'string' && iso.exec(value)) || [];
  const ms = Date.parse(text ?? '');
  // Date.parse takes the 30th of February for the 2nd of March.
  const isOfMonth = new Date(`${date}T00:00Z`).getUTCDate() === Number(day);
  if (!Number.isNaN(ms) && isOfMonth) return ms;
  const got = value === undefined || value === '' ? 'nothing' : shown(value);
  fault(`time: must be ISO 8601 with its zone, as 2026-11-23T08:00:00Z, got ${got}`);
  return undefined;
}

const decimal = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function countOf(name: string, fields: Row['fields'], fault: Say): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  const count = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
  if (typeof count === 'number' && count >= 0 && count <= Number.MAX_SAFE_INTEGER) return count;
  fault(`${name}: must be a number of at least 0, or empty where it is not known, got ${shown(value)}`);
  return undefined;
}

function flagOf(value: unknown, fault: Say): boolean | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  fault(`active: must be true, false or empty, got ${shown(value)}`);
  return undefined;
}

/** A value of JSON may be a list without end, or an object that no text can be made of. */
function shown(value: unknown): string {
  if (typeof value !== 'object') return quote(String(value));
  return Array.isArray(value) ? 'a list' : 'an object';
}

function wholeFaults(points: readonly HistoryPoint[]): readonly string[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) {
    return [
      `has ${points.length === 0 ? 'no point' : 'one point'}; two are needed at least: let it be recorded for longer`,
    ];
  }
  const seconds = (last.atMs - first.atMs) / 1000;
  if (seconds > maxHistorySeconds) {
    return [`covers ${Math.ceil(seconds / 86_400)} days, at most are ${maxHistorySeconds / 86_400}: cut it`];
  }
  const known = points.slice(1).some(({ arrivals }) => arrivals !== undefined);
  const backlogs = points.filter(({ backlog }) => backlog !== undefined).length;
  return known || backlogs > 1
    ? []
    : ['knows no arrivals, and fewer than two backlogs: nothing can be played'];
}
