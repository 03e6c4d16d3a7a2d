import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/ingest/body.ts';
import { InflightBytes } from '../../../src/ingest/inflight.ts';

const kib = 1024;
const maxBodyBytes = 4096 * kib;

/** Reads a request whose body comes in these chunks. */
async function read(chunks: readonly Buffer[], { announced = false, most = 64 * 1024 * kib } = {}) {
  const inflight = new InflightBytes();
  inflight.use(most, maxBodyBytes, 512);
  const socket = new Socket();
  const request = new IncomingMessage(socket);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (announced) request.headers['content-length'] = String(length);
  const share = inflight.open({ socket, isShown: false });
  const body = readBody(request, share, { maxBytes: maxBodyBytes });
  for (const chunk of chunks) request.push(chunk);
  request.complete = true;
  request.push(null);
  const result = await body;
  const held = inflight.bytes;
  share.release();
  return { result, held, left: inflight.bytes };
}

describe('a body', () => {
  it('is what came, in whatever chunks, and holds room for its bytes only', async () => {
    const chunk = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 64 }) },
      fc.integer({ min: 1, max: 64 * kib }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 60 }), fc.boolean(), async (sizes, announced) => {
        const chunks = sizes.map((size, at) => Buffer.alloc(size, at % 251));
        const { result, held, left } = await read(chunks, { announced });
        const whole = Buffer.concat(chunks);
        expect(Buffer.isBuffer(result) && result.equals(whole)).toBe(true);
        expect(held).toBe(whole.length);
        expect(left).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('of single bytes costs memory for its bytes only', async () => {
    const { result, held } = await read(Array.from({ length: 100 * kib }, () => Buffer.of(7)));
    expect(Buffer.isBuffer(result) && result.length).toBe(100 * kib);
    expect(held).toBe(100 * kib);
  });

  it('does not keep much more memory than it has bytes by parts of larger chunks', async () => {
    const { result } = await read([Buffer.alloc(1024 * kib).subarray(0, 10 * kib)]);
    expect(Buffer.isBuffer(result) && result.buffer.byteLength).toBe(10 * kib);
  });

  it('has room up to its largest size where it is alone, in whatever chunks', async () => {
    // The room for one sender is just as large.
    const most = maxBodyBytes + 1;
    const sizes = [...Array.from({ length: 59 }, () => 64), 20, 7, 64, 64, 64, 64, 37];
    const chunks = sizes.map((size) => Buffer.alloc(size * kib));
    expect((await read(chunks, { most })).result).toHaveLength(maxBodyBytes);
    expect((await read([...chunks, Buffer.alloc(1)], { most })).result).toBe('too_large');
  });

  it('is refused beyond its largest size, and where there is no room', async () => {
    const large = Array.from({ length: 65 }, () => Buffer.alloc(64 * kib));
    expect((await read(large)).result).toBe('too_large');
    expect((await read(large, { announced: true })).result).toBe('too_large');
    expect((await read(large.slice(1))).result).toHaveLength(maxBodyBytes);
  });
});
