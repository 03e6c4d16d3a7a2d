import { setImmediate } from 'node:timers/promises';
import type { ClassicLevel } from 'classic-level';
import { ScalerError } from '../errors.ts';
import type { InboundEvent } from '../sources/source.ts';

/** An event as it is stored: in which place, and its text. */
export interface Entry {
  readonly sequence: number;
  readonly text: string;
}

/** What the durable log needs of a store. Sequences are whole numbers from 1; every call can reject with any error. */
export interface EventStore {
  /** Rejects with ScalerError, which says what to do. Can be called again after `close`. */
  open(): Promise<void>;
  /** All of them or none; they are on the disk when this resolves. */
  put(entries: readonly Entry[]): Promise<void>;
  /** Takes entries away and says in the same write since when all are there, in ms since 1970. */
  remove(sequences: readonly number[], keptSinceMs: number): Promise<void>;
  /** Those after one sequence and up to another, as they are now, in their order, some at a time. */
  read(after: number, upTo: number): AsyncIterable<readonly Entry[]>;
  /** The last sequence there is; 0: none. */
  last(): Promise<number>;
  /** What `remove` last said; 0: nothing was ever removed. */
  keptSinceMs(): Promise<number>;
  close(): Promise<void>;
}

/** Handed on in one turn of the event loop. */
const entriesPerTurn = 500;
const bytesPerTurn = 256 * 1024;

const prefix = 'event:';
const keptSinceKey = 'kept-since';
const digits = String(Number.MAX_SAFE_INTEGER).length;

/** The events in LevelDB: an embedded store that survives the death of its process at any moment. */
export class LevelStore implements EventStore {
  private readonly dir: string;
  private opened: ClassicLevel<string, string> | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  async open(): Promise<void> {
    // Only where a log is kept on disk.
    const { ClassicLevel } = await import('classic-level');
    const db = new ClassicLevel<string, string>(this.dir);
    try {
      await db.open();
    } catch (reason) {
      throw cannotOpen(this.dir, reason);
    }
    this.opened = db;
  }

  put(entries: readonly Entry[]): Promise<void> {
    const puts = entries.map(
      ({ sequence, text }) => ({ type: 'put', key: keyOf(sequence), value: text }) as const,
    );
    return this.db.batch(puts, { sync: true });
  }

  async remove(sequences: readonly number[], keptSinceMs: number): Promise<void> {
    const dels = sequences.map((sequence) => ({ type: 'del', key: keyOf(sequence) }) as const);
    await this.db.batch([...dels, { type: 'put', key: keptSinceKey, value: String(keptSinceMs) }]);
  }

  async *read(after: number, upTo: number): AsyncGenerator<readonly Entry[]> {
    const range = { gt: keyOf(after), lte: keyOf(upTo), highWaterMarkBytes: bytesPerTurn, fillCache: false };
    const iterator = this.db.iterator(range);
    try {
      for (;;) {
        const pairs = await iterator.nextv(entriesPerTurn);
        if (pairs.length === 0) return;
        yield pairs.map(([key, text]) => ({ sequence: sequenceOf(key), text }));
        // What the iterator has read ahead comes without a turn in between.
        await setImmediate();
      }
    } finally {
      await iterator.close();
    }
  }

  async last(): Promise<number> {
    const range = { gte: keyOf(0), lte: keyOf(Number.MAX_SAFE_INTEGER), reverse: true, limit: 1 };
    const [key] = await this.db.keys(range).all();
    return key === undefined ? 0 : sequenceOf(key);
  }

  async keptSinceMs(): Promise<number> {
    return Number((await this.db.get(keptSinceKey)) ?? 0);
  }

  async close(): Promise<void> {
    const db = this.opened;
    this.opened = undefined;
    await db?.close();
  }

  private get db(): ClassicLevel<string, string> {
    if (this.opened === undefined) throw new ScalerError('unavailable', 'the event log is not open');
    return this.opened;
  }
}

/** As many digits for each, so that the order of the texts is that of the numbers. */
function keyOf(sequence: number): string {
  return prefix + String(sequence).padStart(digits, '0');
}

function sequenceOf(key: string): number {
  return Number(key.slice(prefix.length));
}

function cannotOpen(dir: string, reason: unknown): ScalerError {
  const cause = reason instanceof Error && reason.cause !== undefined ? reason.cause : reason;
  const { message } = ScalerError.from(cause);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  const said = `eventLog: ${dir} ${advice(code, message)}`;
  return new ScalerError('unavailable', said, { cause: reason });
}

function advice(code: unknown, message: string): string {
  switch (code) {
    case 'LEVEL_LOCKED':
      return 'is in use by another process: a log has one scaler. Run one pod, with strategy Recreate and a volume of its own';
    case 'LEVEL_CORRUPTION':
      return `is damaged (${message}): bring back a copy of the directory, or move it away; the work items in it are then forgotten`;
    default:
      return `cannot be used (${message}): mount a volume there that the user of this process may write to`;
  }
}

/** The event as it is written; JSON, so that a person can read it too. */
export function encode(event: InboundEvent): string {
  return JSON.stringify(event);
}

/** Undefined for what is no event: damaged, or of a version that wrote it in another way. */
export function decode(text: string): InboundEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { connection, type, id, receivedAtMs, fact }: Partial<Record<keyof InboundEvent, unknown>> = value;
  if (typeof connection !== 'string' || typeof type !== 'string' || typeof id !== 'string') return undefined;
  if (typeof receivedAtMs !== 'number') return undefined;
  return { connection, type, id, receivedAtMs, fact };
}
