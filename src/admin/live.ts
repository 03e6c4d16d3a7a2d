import type { ServerResponse } from 'node:http';
import type { TriggerSummary } from '../triggers/trigger-status.ts';
import { inTurns, ownTurn } from '../turns.ts';
import type { ConnectionRow, Row, Tick } from './page/wire.ts';
import { type Statuses, turnSize } from './trigger-series.ts';

/** A connection, without what its triggers say. */
export type ConnectionUse = Omit<ConnectionRow, 'triggers' | 'failing' | 'error'>;

export interface LiveDeps {
  readonly triggers: Pick<Statuses, 'summaries'>;
  connections(): Iterable<ConnectionUse>;
  readonly version: string;
  ready(): boolean;
}

/** In ms; tests shorten them. */
export interface LiveTimes {
  /** From one look at all triggers to the next, at least. */
  readonly everyMs: number;
  /** How long a reader may leave unread what was sent. */
  readonly patienceMs: number;
}

/** Each gets every change. */
export const mostLiveReaders = 8;
const rowsAtATime = 100;
/** What a reader has not taken yet is not added to: it gets the newest when it is ready for it. */
const mostUnsentBytes = 262_144;
const mostErrorCharacters = 300;
/** Ages change with every read, so they are sent only every so many looks. */
const looksPerAge = 2;

interface Known {
  /** Without its number's object: JSON, to compare with and to send. */
  json: string;
  /** Of the look that saw it change last, and saw it at all. */
  changedAt: number;
  seenAt: number;
  gone: boolean;
  readAtMs: number;
  toldReadAtMs: number;
  ageChangedAt: number;
  readonly n: number;
}

interface Reader {
  readonly response: ServerResponse;
  /** Whether its token is still valid. */
  readonly mayStill: () => boolean;
  /** It has every change up to this look. */
  toldUpTo: number;
  isBusy: boolean;
}

/**
 * Sends every change to the status page, as server-sent events. All triggers are compared once for all readers, in turns, and
 * only while there is a reader. A slow reader gets fewer messages, never old ones. A reader that reads nothing is cut.
 */
export class LiveFeed {
  private readonly deps: LiveDeps;
  private readonly times: LiveTimes;
  private readonly readers = new Set<Reader>();
  /** By ID. */
  private readonly known = new Map<string, Known>();
  private looks = 0;
  private numbers = 0;
  private tick = '';
  private isLooking = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: LiveDeps, times: Partial<LiveTimes> = {}) {
    this.deps = deps;
    this.times = { everyMs: 1_000, patienceMs: 20_000, ...times };
  }

  get isFull(): boolean {
    return this.readers.size >= mostLiveReaders;
  }

  /** Sends to a response whose head is written, until it is closed. There must be room for it. */
  add(response: ServerResponse, mayStill: () => boolean): void {
    const reader: Reader = { response, mayStill, toldUpTo: 0, isBusy: false };
    this.readers.add(reader);
    response.once('close', () => this.remove(reader));
    void this.look();
  }

  close(): void {
    for (const { response } of this.readers) response.destroy();
    this.readers.clear();
    this.forget();
  }

  private remove(reader: Reader): void {
    this.readers.delete(reader);
    if (this.readers.size === 0) this.forget();
  }

  private forget(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.known.clear();
  }

  /** Looks at all triggers, tells the readers, and comes again. */
  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    clearTimeout(this.timer);
    const startedMs = performance.now();
    try {
      await this.lookAtAll();
    } finally {
      this.isLooking = false;
    }
    for (const reader of this.readers) {
      if (!reader.mayStill()) reader.response.destroy();
      else if (!reader.isBusy) void this.tell(reader);
    }
    if (this.readers.size === 0) {
      this.forget();
      return;
    }
    // However many triggers there are, this is a fifth of the time at the most.
    const tookMs = performance.now() - startedMs;
    this.timer = setTimeout(() => void this.look(), Math.max(this.times.everyMs, 4 * tookMs));
  }

  private async lookAtAll(): Promise<void> {
    const look = this.looks + 1;
    const health = new Map<string, { triggers: number; failing: number; error?: string }>();
    for await (const turn of inTurns(this.deps.triggers.summaries(), turnSize)) {
      for (const summary of turn) {
        this.take(summary, look);
        if (summary.connection === '') continue;
        const own = health.get(summary.connection) ?? { triggers: 0, failing: 0 };
        health.set(summary.connection, own);
        own.triggers += 1;
        if (summary.error === undefined) continue;
        own.failing += 1;
        own.error ??= cut(summary.error);
      }
    }
    this.looks = look;
    this.markGone(look);
    const connections = Array.from(this.deps.connections(), (one) => ({
      ...one,
      ...(health.get(one.name) ?? { triggers: 0, failing: 0 }),
    }));
    const tick: Omit<Tick, 'now'> = { version: this.deps.version, ready: this.deps.ready(), connections };
    this.tick = JSON.stringify(tick).slice(1);
  }

  private take(summary: TriggerSummary, look: number): void {
    const nowMs = performance.now();
    const known = this.known.get(summary.id) ?? this.addKnown(summary.id);
    const json = JSON.stringify(rowOf(summary, known.n, nowMs));
    if (known.json !== json || known.gone) {
      known.json = json;
      known.changedAt = look;
      known.gone = false;
    }
    known.seenAt = look;
    if (summary.ageMs === undefined) return;
    known.readAtMs = roundTime(nowMs - summary.ageMs);
    if (known.readAtMs === known.toldReadAtMs || (look % looksPerAge !== 0 && known.changedAt < look)) return;
    known.toldReadAtMs = known.readAtMs;
    known.ageChangedAt = look;
  }

  private addKnown(id: string): Known {
    this.numbers += 1;
    const known: Known = {
      n: this.numbers,
      json: '',
      changedAt: 0,
      seenAt: 0,
      gone: false,
      readAtMs: -1,
      toldReadAtMs: -1,
      ageChangedAt: 0,
    };
    this.known.set(id, known);
    return known;
  }

  /** What is gone is kept until every reader knows. */
  private markGone(look: number): void {
    const told = Math.min(...[...this.readers].map(({ toldUpTo }) => toldUpTo));
    for (const [id, known] of this.known) {
      if (known.seenAt === look) continue;
      if (known.gone && known.changedAt <= told) this.known.delete(id);
      if (!known.gone) {
        known.gone = true;
        known.changedAt = look;
      }
    }
  }

  private async tell(reader: Reader): Promise<void> {
    const upTo = this.looks;
    reader.isBusy = true;
    let rows: string[] = [];
    let ages: number[] = [];
    let gone: number[] = [];
    const flush = async (): Promise<boolean> => {
      const parts = [
        ...(rows.length > 0 ? [`"rows":[${rows.join(',')}]`] : []),
        ...(ages.length > 0 ? [`"ages":[${ages.join(',')}]`] : []),
        ...(gone.length > 0 ? [`"gone":[${gone.join(',')}]`] : []),
      ];
      [rows, ages, gone] = [[], [], []];
      if (parts.length > 0) reader.response.write(`event: change\ndata: {${parts.join(',')}}\n\n`);
      await ownTurn();
      return this.isReady(reader);
    };
    for (const known of this.known.values()) {
      const { n, changedAt, ageChangedAt, toldReadAtMs } = known;
      if (changedAt > reader.toldUpTo) {
        if (!known.gone) rows.push(known.json);
        else if (reader.toldUpTo > 0) gone.push(n);
      }
      if (!known.gone && ageChangedAt > reader.toldUpTo) ages.push(n, toldReadAtMs);
      const isMuch = rows.length >= rowsAtATime || ages.length + gone.length >= 20 * rowsAtATime;
      if (isMuch && !(await flush())) return;
    }
    if (!(await flush())) return;
    reader.response.write(`event: tick\ndata: {"now":${Math.round(performance.now())},${this.tick}\n\n`);
    reader.toldUpTo = upTo;
    reader.isBusy = !(await this.isReady(reader));
  }

  /** Whether there is room for more; waits for it, and cuts a reader who makes none. */
  private async isReady({ response }: Reader): Promise<boolean> {
    if (response.destroyed) return false;
    if (response.writableLength < mostUnsentBytes) return true;
    return await new Promise((resolve) => {
      const late = setTimeout(() => response.destroy(), this.times.patienceMs);
      const done = (): void => {
        clearTimeout(late);
        response.off('drain', done);
        response.off('close', done);
        resolve(!response.destroyed);
      };
      response.once('drain', done);
      response.once('close', done);
    });
  }
}

function rowOf(summary: TriggerSummary, n: number, nowMs: number): Row {
  const { id, namespace, name, source, connection, metricName, up, active, items } = summary;
  const { value, target, desired, surge, error, lastWake, lastNudge, lastError } = summary;
  const at = (ageMs: number): number => roundTime(nowMs - ageMs);
  return {
    n,
    id,
    namespace,
    name,
    source,
    connection,
    metricName,
    up,
    ...(active !== undefined && { active }),
    ...(items !== undefined && { items }),
    ...(value !== undefined && { value }),
    ...(target !== undefined && { target }),
    ...(desired !== undefined && { desired }),
    ...(surge !== undefined && { surge }),
    ...(error !== undefined && { error: cut(error) }),
    ...(lastWake && { wake: { cause: lastWake.cause, at: at(lastWake.ageMs) } }),
    ...(lastNudge && { nudgeAt: at(lastNudge.ageMs) }),
    ...(lastError && { lastError: { message: cut(lastError.message), at: at(lastError.ageMs) } }),
  };
}

/** So that the same moment is the same number, whenever it is reckoned from an age. */
function roundTime(ms: number): number {
  return Math.round(ms / 100) * 100;
}

function cut(text: string): string {
  return text.length > mostErrorCharacters ? `${text.slice(0, mostErrorCharacters)}…` : text;
}
