import type { IncomingMessage } from 'node:http';
import type { JsonCounter } from '../json.ts';
import { ownBytes, type Share } from './inflight.ts';
import type { Pace } from './pace.ts';

/** Why a body was not read to its end; what is left of it stays unread. */
export type BodyFault = 'too_large' | 'busy' | 'too_slow' | 'too_deep' | 'cut';

/** The limits for a body while it arrives. */
export interface BodyRules {
  readonly maxBytes: number;
  readonly leastSpeed?: LeastSpeed | undefined;
  /** Of what is large: it waits for its turn to go on. */
  readonly pace?: Pace | undefined;
  /** Of JSON. */
  readonly counter?: JsonCounter | undefined;
}

/** The least speed: where fewer bytes come in a time, the rest is not waited for. */
export interface LeastSpeed {
  readonly bytes: number;
  readonly everyMs: number;
}

/** Larger bodies are read at a pace, where their senders have shown nothing, and worked on one at a time. */
export const smallBytes = 64 * 1024;

/**
 * The raw body. Its share of the memory for all requests grows with the bytes that arrive, not by `Content-Length`.
 * Otherwise a dozen connections that announce much and send nothing would block everyone. A body whose announced size
 * does not fit now is still refused unread.
 */
export async function readBody(
  request: IncomingMessage,
  share: Share,
  { maxBytes, leastSpeed, pace, counter }: BodyRules,
): Promise<Buffer | BodyFault> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) return 'too_large';
  if (!share.fits(announced)) return 'busy';
  const body = new Gathered(share, announced || maxBytes);
  return new Promise((resolve) => {
    let before = 0;
    let unpaced = 0;
    let isOver = false;
    // After what has come meanwhile is read: it is the sender that may be slow, not this process.
    const check = (): NodeJS.Immediate => setImmediate(look);
    const look = (): void => {
      if (body.length - before < (leastSpeed?.bytes ?? 0)) end('too_slow');
      before = body.length;
    };
    const timer = leastSpeed === undefined ? undefined : setInterval(check, leastSpeed.everyMs);
    const end = (result: Buffer | BodyFault): void => {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      request.off('data', take).off('end', whole).off('error', cut).off('close', cut);
      // What comes late is an error that nobody waits for.
      request.on('error', () => {}).pause();
      resolve(result);
    };
    const take = (chunk: Buffer): void => {
      const fault = counter?.add(chunk) === false ? 'too_deep' : body.add(chunk);
      if (fault !== undefined) {
        end(fault);
        return;
      }
      unpaced += chunk.length;
      if (pace === undefined || unpaced < smallBytes) return;
      request.pause();
      void pace.passed(unpaced).then(() => (isOver ? request : request.resume()));
      unpaced = 0;
    };
    const whole = (): void => end(request.complete ? body.bytes() : 'cut');
    const cut = (): void => end('cut');
    request.on('data', take).on('end', whole).on('error', cut).on('close', cut);
  });
}

/** From this size on a chunk is kept as it came. */
const keptBytes = 8 * 1024;
/** The largest piece that small chunks are copied into. */
const pieceBytes = 256 * 1024;

/**
 * What came, as a list of pieces, so that nothing is copied twice while a large body comes. Small chunks are copied
 * together: a sender can make each of them one byte, and a list of those would cost a hundred times their bytes.
 */
class Gathered {
  length = 0;
  private readonly share: Share;
  private readonly maxBytes: number;
  private readonly pieces: Buffer[] = [];
  /** The last piece, where it is one for small chunks, and how much of it is filled. */
  private open: Buffer | undefined;
  private filled = 0;

  constructor(share: Share, maxBytes: number) {
    this.share = share;
    this.maxBytes = maxBytes;
  }

  add(chunk: Buffer): BodyFault | undefined {
    if (this.length + chunk.length > this.maxBytes) return 'too_large';
    const fits = chunk.length <= this.room;
    if (!(isWorthKeeping(chunk) && !fits ? this.keep(chunk) : this.copy(chunk))) return 'busy';
    this.length += chunk.length;
    return undefined;
  }

  bytes(): Buffer {
    this.close();
    const [first = Buffer.alloc(0), ...more] = this.pieces;
    return more.length === 0 ? first : Buffer.concat(this.pieces, this.length);
  }

  private keep(chunk: Buffer): boolean {
    this.close();
    if (!this.share.grow(chunk.length)) return false;
    this.pieces.push(chunk);
    return true;
  }

  private copy(chunk: Buffer): boolean {
    if (chunk.length > this.room) {
      const wanted = Math.min(Math.max(ownBytes, this.length), pieceBytes, this.maxBytes - this.length);
      const size = Math.max(wanted, chunk.length);
      this.close();
      if (!this.share.grow(size)) return false;
      this.open = Buffer.allocUnsafeSlow(size);
      this.filled = 0;
    }
    this.filled += chunk.copy(this.open ?? chunk, this.filled);
    return true;
  }

  private get room(): number {
    return (this.open?.length ?? 0) - this.filled;
  }

  /** Gives back what is not filled: the largest body has no room to spare. */
  private close(): void {
    if (this.open !== undefined) {
      const { room } = this;
      const filled = this.open.subarray(0, this.filled);
      this.pieces.push(room === 0 ? filled : copyOf(filled));
      this.share.grow(-room);
    }
    this.open = undefined;
    this.filled = 0;
  }
}

/** In memory of its own: `Buffer.from` may take a part of a shared piece. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** A chunk may be a small part of the memory that it keeps. */
function isWorthKeeping({ length, buffer }: Buffer): boolean {
  return length >= keptBytes && 2 * length >= buffer.byteLength;
}
