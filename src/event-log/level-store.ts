import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { ClassicLevel } from 'classic-level';
import { ScalerError } from '../errors.ts';
import type { InboundEvent, KeptSince } from '../sources/source.ts';

/** An event as it is stored: in which place of its connection's, and its text. */
export interface Entry {
  readonly connection: string;
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly text: string;
}

/** What is known of a connection's events, beside them. */
export interface Head {
  /** The first sequence that is still to be there. */
  readonly first: number;
  readonly since: KeptSince;
  /** Up to here, what is damaged or missing is known: `since` tells it. */
  readonly checked: number;
}

/** What the durable log needs of a store. Every call can reject with any error. */
export interface EventStore {
  /** Rejects with ScalerError, which says what to do. Can be called again after `close`. */
  open(): Promise<void>;
  /** All of them or none; they are on the disk when this resolves. */
  put(entries: readonly Entry[]): Promise<void>;
  putHead(connection: string, head: Head): Promise<void>;
  /** Takes entries of a connection away and writes its head, both or none. */
  remove(connection: string, sequences: readonly number[], head: Head): Promise<void>;
  /** Those of a connection after one sequence and up to another, as they are now, in their order, some at a time. */
  read(connection: string, after: number, upTo: number): AsyncIterable<readonly Entry[]>;
  heads(): Promise<Map<string, Head>>;
  /** The last sequence that was put, by connection. */
  lasts(): Promise<Map<string, number>>;
  /** How many events were ever put, as it is written down apart from the store; it may lag behind a little. Undefined: it is not there, or damaged. */
  written(): Promise<number | undefined>;
  write(total: number): Promise<void>;
  close(): Promise<void>;
}

/** Handed on in one turn of the event loop. */
const entriesPerTurn = 500;
const bytesPerTurn = 256 * 1024;

const prefixes = { entry: 'entry:', head: 'head:', last: 'last:' } as const;
const digits = String(Number.MAX_SAFE_INTEGER).length;

/**
 * The events in LevelDB: an embedded store that survives the death of its process at any moment. What is damaged in its
 * write-ahead log it leaves out without a word (LevelDB's `paranoid_checks` are off, and not to be had here). So each entry
 * has a checksum, entries of a connection are numbered, and a file beside the store says how many were ever put.
 */
export class LevelStore implements EventStore {
  private readonly dir: string;
  private opened: ClassicLevel<string, string> | undefined;
  private counter: FileHandle | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  async open(): Promise<void> {
    // Only where a log is kept on disk.
    const { ClassicLevel } = await import('classic-level');
    const db = new ClassicLevel<string, string>(this.dir);
    try {
      await db.open();
      // LevelDB leaves files alone that are none of its own.
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
        // What the iterator has read ahead comes without a turn in between.
        await setImmediate();
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

  /** In place, so that it needs no room on a disk that is full. It is on the disk sooner or later. */
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

/** As many digits for each, so that the order of the texts is that of the numbers. No name of a connection has a colon. */
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

/** The event as it is written: its checksum, and JSON, so that a person can read it too. */
export function encode(event: InboundEvent): string {
  return withChecksum(JSON.stringify(event));
}

/** Undefined for what is no event: damaged, or of a version that wrote it in another way. */
export function decode(text: string): InboundEvent | undefined {
  return eventOf(checked<unknown>(text, JSON.parse));
}

/** The event in plain JSON that was read; undefined where it is none. */
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

/** What a text with its checksum says; undefined where they do not fit. */
function checked<T>(said: string, parse: (text: string) => T): T | undefined {
  const text = said.slice(checksumDigits + 1);
  if (withChecksum(text) !== said) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
