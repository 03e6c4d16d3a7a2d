import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ClassicLevel } from 'classic-level';
import { ScalerError } from '../errors.ts';
import type { InboundEvent, KeptSince } from '../sources/inbound.ts';
import { ownTurn } from '../turns.ts';

/** An event as it is stored. */
export interface Entry {
  readonly connection: string;
  /** Its place among the connection's events: from 1, without a gap. */
  readonly sequence: number;
  readonly text: string;
}

/** What is stored about a connection's events, beside them. */
export interface Head {
  /** The first sequence that should still exist. */
  readonly first: number;
  readonly since: KeptSince;
  /** The last sequence whose damage `since` already takes into account. */
  readonly checked: number;
}

/** What the durable log needs from a store. Every call can reject with any error. */
export interface EventStore {
  /** Rejects with ScalerError, which says what to do. Can be called again after `close`. */
  open(): Promise<void>;
  /** Stores all of them or none. They are on disk when this resolves. */
  put(entries: readonly Entry[]): Promise<void>;
  putHead(connection: string, head: Head): Promise<void>;
  /** Removes entries of a connection and writes its head, both or neither. */
  remove(connection: string, sequences: readonly number[], head: Head): Promise<void>;
  /** The entries after one sequence and up to another, as they are at the call, in order, in chunks. */
  read(connection: string, after: number, upTo: number): AsyncIterable<readonly Entry[]>;
  heads(): Promise<Map<string, Head>>;
  /** The last sequence that was stored, by connection. */
  lasts(): Promise<Map<string, number>>;
  /** How many events were ever stored. It is written apart from them and may lag a little. Undefined if missing or damaged. */
  written(): Promise<number | undefined>;
  write(total: number): Promise<void>;
  close(): Promise<void>;
}

/** The most that is read in one turn of the event loop. */
const entriesPerTurn = 500;
const bytesPerTurn = 256 * 1024;

const prefixes = { entry: 'entry:', head: 'head:', last: 'last:' } as const;
const digits = String(Number.MAX_SAFE_INTEGER).length;

/**
 * Events in LevelDB, an embedded store that survives the death of its process at any moment. It silently skips damage in
 * its write-ahead log, because classic-level has no option for LevelDB's `paranoid_checks`. So each entry has a checksum,
 * entries of a connection are numbered, and a file beside the store counts all events ever stored.
 */
export class LevelStore implements EventStore {
  private readonly dir: string;
  private opened: ClassicLevel<string, string> | undefined;
  private counter: FileHandle | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  async open(): Promise<void> {
    // Loaded only if a log is kept on disk.
    const { ClassicLevel } = await import('classic-level');
    const db = new ClassicLevel<string, string>(this.dir);
    try {
      await db.open();
      // LevelDB leaves other files in its directory alone.
      const file = join(this.dir, 'written');
      this.counter = await open(file, 'r+').catch(() => open(file, 'w+'));
    } catch (reason) {
      await db.close();
      throw cannotOpen(this.dir, reason);
    }
    this.opened = db;
  }

  put(entries: readonly Entry[]): Promise<void> {
    const lasts = new Map(entries.map(({ connection, sequence }) => [connection, sequence]));
    return this.db.batch(
      [
        ...entries.map(({ connection, sequence, text }) => putOf(keyOf(connection, sequence), text)),
        ...[...lasts].map(([connection, last]) => putOf(prefixes.last + connection, String(last))),
      ],
      { sync: true },
    );
  }

  putHead(connection: string, head: Head): Promise<void> {
    return this.remove(connection, [], head);
  }

  remove(connection: string, sequences: readonly number[], head: Head): Promise<void> {
    const dels = sequences.map((sequence) => ({ type: 'del', key: keyOf(connection, sequence) }) as const);
    return this.db.batch([...dels, putOf(prefixes.head + connection, JSON.stringify(head))], { sync: true });
  }

  async *read(connection: string, after: number, upTo: number): AsyncGenerator<readonly Entry[]> {
    const range = { gt: keyOf(connection, after), lte: keyOf(connection, upTo) };
    const iterator = this.db.iterator({ ...range, highWaterMarkBytes: bytesPerTurn, fillCache: false });
    try {
      for (;;) {
        const pairs = await iterator.nextv(entriesPerTurn);
        if (pairs.length === 0) return;
        yield pairs.map(([key, text]) => ({ connection, sequence: Number(key.slice(-digits)), text }));
        // The iterator returns entries that it has read ahead without yielding to the event loop.
        await ownTurn();
      }
    } finally {
      await iterator.close();
    }
  }

  async heads(): Promise<Map<string, Head>> {
    const texts = await this.all(prefixes.head);
    return new Map([...texts].map(([connection, text]) => [connection, JSON.parse(text) as Head]));
  }

  async lasts(): Promise<Map<string, number>> {
    const texts = await this.all(prefixes.last);
    return new Map([...texts].map(([connection, text]) => [connection, Number(text)]));
  }

  async written(): Promise<number | undefined> {
    const { buffer, bytesRead } = (await this.counter?.read(Buffer.alloc(64), 0, 64, 0)) ?? {};
    return checked(buffer?.toString('latin1', 0, bytesRead) ?? '', Number);
  }

  /** Writes in place, so that it works on a full disk. It does not wait until the count is on disk. */
  async write(total: number): Promise<void> {
    await this.counter?.write(withChecksum(String(total).padStart(digits, '0')), 0, 'latin1');
  }

  async close(): Promise<void> {
    const { opened, counter } = this;
    this.opened = undefined;
    this.counter = undefined;
    await counter?.close();
    await opened?.close();
  }

  private async all(prefix: string): Promise<Map<string, string>> {
    const pairs = await this.db.iterator({ gt: prefix, lt: `${prefix}\u{7f}` }).all();
    return new Map(pairs.map(([key, text]) => [key.slice(prefix.length), text]));
  }

  private get db(): ClassicLevel<string, string> {
    if (this.opened === undefined) throw new ScalerError('unavailable', 'the event log is not open');
    return this.opened;
  }
}

function putOf(key: string, value: string) {
  return { type: 'put', key, value } as const;
}

/** Sequences are padded, so that keys sort like numbers. No connection's name has a colon. */
function keyOf(connection: string, sequence: number): string {
  return `${prefixes.entry}${connection}:${String(sequence).padStart(digits, '0')}`;
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

/** An event as text: a checksum, and JSON, so that a person can read it too. */
export function encode(event: InboundEvent): string {
  return withChecksum(JSON.stringify(event));
}

/** Undefined if it is damaged, or written by a version with another format. */
export function decode(text: string): InboundEvent | undefined {
  return eventOf(checked<unknown>(text, JSON.parse));
}

/** Checks that parsed JSON is an event. Undefined if not. */
export function eventOf(value: unknown): InboundEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { connection, type, id, receivedAtMs, fact }: Partial<Record<keyof InboundEvent, unknown>> = value;
  if (typeof connection !== 'string' || typeof type !== 'string' || typeof id !== 'string') return undefined;
  if (typeof receivedAtMs !== 'number') return undefined;
  return { connection, type, id, receivedAtMs, fact };
}

const checksumDigits = 8;

function withChecksum(text: string): string {
  return `${crc32(text).toString(16).padStart(checksumDigits, '0')} ${text}`;
}

/** The value of a text behind its checksum. Undefined if they do not match. */
function checked<T>(said: string, parse: (text: string) => T): T | undefined {
  const text = said.slice(checksumDigits + 1);
  if (withChecksum(text) !== said) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
