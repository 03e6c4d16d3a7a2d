import { printable } from '../printable.ts';
import type { Load } from './load.ts';
import { type Model, type Outcome, play, type Setting, seriesLength } from './play.ts';

/** The view of a comparison. */
export interface Comparison {
  /** The history's file. */
  readonly history: string;
  readonly startMs: number;
  readonly seconds: number;
  readonly items: number;
  /** The most that came in a minute, in each of equal pieces. */
  readonly arrivalsAMinute: readonly number[];
  readonly settings: readonly (Outcome & { readonly name: string })[];
  readonly notes: readonly string[];
}

/** What is left at the end is worth a word where it is more than this part. */
const notablePart = 0.01;

/**
 * Plays a load through settings. `history` is what it is called, `replicaRateFrom` where the rate of a replica is from, and
 * `notes` what else is to be known. Pure.
 */
export function compare(
  history: string,
  load: Load,
  settings: readonly Setting[],
  model: Model & { readonly replicaRateFrom: string },
  notes: readonly string[],
): Comparison {
  const { startMs, arrivals, backlog } = load;
  const outcomes = settings.map((setting) => ({ name: setting.name, ...play(setting, load, model) }));
  const { replicaRate, replicaRateFrom, podStartSeconds } = model;
  return {
    history,
    startMs,
    seconds: arrivals.length,
    items: arrivals.reduce((sum, one) => sum + one, backlog),
    arrivalsAMinute: mostAMinute(arrivals),
    settings: outcomes,
    notes: [
      `One replica finishes ${replicaRate} items a second (${replicaRateFrom}). A new pod takes ${duration(podStartSeconds)} to start.`,
      ...load.notes,
      ...outcomes.flatMap(notesOf),
      ...notes,
    ],
  };
}

function mostAMinute(arrivals: Float64Array): readonly number[] {
  const minutes: number[] = new Array(Math.ceil(arrivals.length / 60)).fill(0);
  for (const [second, items] of arrivals.entries()) {
    const minute = Math.floor(second / 60);
    minutes[minute] = (minutes[minute] ?? 0) + items;
  }
  const pieces: number[] = new Array(Math.min(seriesLength, minutes.length)).fill(0);
  for (const [minute, items] of minutes.entries()) {
    const piece = Math.floor((minute * pieces.length) / minutes.length);
    pieces[piece] = Math.max(pieces[piece] ?? 0, items);
  }
  return pieces;
}

function notesOf({
  name,
  items,
  drainSeconds,
  lateShare,
  leftAtEnd,
  neverTaken,
}: Comparison['settings'][number]): string[] {
  const notes: string[] = [];
  if (drainSeconds !== undefined && lateShare !== undefined) {
    const share = lateShare === 0 ? 'no item' : `${percent(lateShare)} of the items`;
    notes.push(`${name}: ${share} waited longer than drainSeconds, ${duration(drainSeconds)}.`);
  }
  if (neverTaken > 0) {
    notes.push(
      `${name}: ${count(neverTaken)} items still waited an hour after the end: waits are longer than it says.`,
    );
  } else if (leftAtEnd > notablePart * items) {
    notes.push(`${name}: ${count(leftAtEnd)} items were left at the end, and worked off after it.`);
  }
  return notes;
}

function percent(part: number): string {
  return part < 0.001 ? 'less than 0.1 %' : `${(part * 100).toFixed(1)} %`;
}

/** The most of a comparison in one sentence. */
export function summary({ history, startMs, seconds, items }: Comparison): string {
  const [from, to] = [startMs, startMs + seconds * 1000].map((ms) => new Date(ms).toISOString());
  const until = `${from?.slice(0, 16).replace('T', ' ')} to ${to?.slice(0, 16).replace('T', ' ')} UTC`;
  return `${printable(history)}: ${until} (${duration(seconds)}), ${count(items)} items`;
}

export function duration(seconds: number): string {
  const whole = seconds > 0 && seconds < 1 ? 1 : Math.round(seconds);
  if (whole < 120) return `${seconds > 0 && seconds < 1 ? '<' : ''}${whole} s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)} m ${whole % 60 > 0 ? `${whole % 60} s` : ''}`.trim();
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60 > 0 ? `${minutes % 60} m` : ''}`.trim();
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
