import type { IncomingMessage } from 'node:http';
import type { Share } from './inflight.ts';

/** Why a body was not read to its end; what is left of it stays unread. */
export type BodyFault = 'too_large' | 'busy' | 'cut';

/** Most webhooks fit without growing. */
const firstBytes = 32 * 1024;

/**
 * The raw body. Its share of what all requests may hold grows as bytes come, not by what `Content-Length`
 * says: else a dozen connections that announce much and send nothing would keep everybody out. What is
 * announced and does not fit now is still refused before anything of it is read.
 */
export async function readBody(
  request: IncomingMessage,
  share: Share,
  maxBytes: number,
): Promise<Buffer | BodyFault> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) return 'too_large';
  if (!share.fits(announced)) return 'busy';
  const body = new Gathered(share, announced || maxBytes);
  try {
    // Destroying the request would close the connection before it is answered.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) return 'cut';
      const fault = body.add(chunk);
      if (fault !== undefined) return fault;
    }
  } catch {
    return 'cut';
  }
  return request.complete ? body.bytes() : 'cut';
}

/**
 * Chunks, copied together as they come: a sender can make each of them one byte, and a list of those would cost
 * a hundred times their bytes.
 */
class Gathered {
  private readonly share: Share;
  private readonly maxBytes: number;
  private buffer: Buffer = Buffer.alloc(0);
  private length = 0;

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
    const wanted = Math.max(needed, firstBytes, 2 * this.buffer.length);
    const size = Math.min(wanted, this.maxBytes);
    if (!this.share.grow(size - this.buffer.length)) return false;
    const larger = Buffer.allocUnsafe(size);
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
    return true;
  }
}
