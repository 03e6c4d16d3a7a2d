import type { IncomingMessage } from 'node:http';
import { ownBytes, type Share } from './inflight.ts';
import type { JsonCounter } from './json.ts';

/** Why a body was not read to its end; what is left of it stays unread. */
export type BodyFault = 'too_large' | 'busy' | 'too_slow' | 'too_deep' | 'cut';

/** The limits for a body while it arrives. */
export interface BodyRules {
  readonly maxBytes: number;
  readonly leastSpeed?: LeastSpeed | undefined;
  /** Of JSON. */
  readonly counter?: JsonCounter | undefined;
}

/** The least speed: where fewer bytes come in a time, the rest is not waited for. */
export interface LeastSpeed {
  readonly bytes: number;
  readonly everyMs: number;
}

/**
 * The raw body. Its share of the memory for all requests grows with the bytes that arrive, not by `Content-Length`.
 * Otherwise a dozen connections that announce much and send nothing would block everyone. A body whose announced size
 * does not fit now is still refused unread.
 */
export async function readBody(
  request: IncomingMessage,
  share: Share,
  { maxBytes, leastSpeed, counter }: BodyRules,
): Promise<Buffer | BodyFault> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) return 'too_large';
  if (!share.fits(announced)) return 'busy';
  const body = new Gathered(share, announced || maxBytes);
  return new Promise((resolve) => {
    let before = 0;
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
      if (fault !== undefined) end(fault);
    };
    const whole = (): void => end(request.complete ? body.bytes() : 'cut');
    const cut = (): void => end('cut');
    request.on('data', take).on('end', whole).on('error', cut).on('close', cut);
  });
}

/**
 * Chunks, copied together as they come: a sender can make each of them one byte, and a list of those would cost
 * a hundred times their bytes.
 */
class Gathered {
  length = 0;
  private readonly share: Share;
  private readonly maxBytes: number;
  private buffer: Buffer = Buffer.alloc(0);

  constructor(share: Share, maxBytes: number) {
    this.share = share;
    this.maxBytes = maxBytes;
  }

  add(chunk: Uint8Array): BodyFault | undefined {
    const needed = this.length + chunk.length;
    if (needed > this.maxBytes) return 'too_large';
    if (needed > this.buffer.length && !this.grow(needed)) return 'busy';
    this.buffer.set(chunk, this.length);
    this.length = needed;
    return undefined;
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private grow(needed: number): boolean {
    const wanted = Math.max(needed, ownBytes, 2 * this.buffer.length);
    const size = Math.min(wanted, this.maxBytes);
    if (!this.share.grow(size - this.buffer.length)) return false;
    const larger = Buffer.allocUnsafe(size);
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
    return true;
  }
}
