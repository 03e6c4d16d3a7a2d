import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IngestPort } from '../../src/ingest/port.ts';

const times = { headMs: 5_000, requestMs: 10_000, answerMs: 20_000, checkMs: 1_000, idleMs: 75_000 };

/** Says what came. It reads as bodies that are paced are read: with a rest after each part. */
const echo: RequestListener = (request, response) => {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
    request.pause();
    void setImmediate().then(() => request.resume());
  });
  request.on('end', () => {
    const { method, url, headers, rawTrailers } = request;
    response.end(JSON.stringify({ method, url, headers, rawTrailers, bytes, hash: hash.digest('hex') }));
  });
};

const port = new IngestPort(echo, 1024, times);
const plain = createServer(echo);
Object.assign(plain, { httpAllowHalfOpen: true });
const ports = { ours: 0, plain: 0 };

beforeAll(async () => {
  ports.ours = await port.listen({ host: '127.0.0.1', port: 0 });
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  ports.plain = (plain.address() as AddressInfo).port;
});
afterAll(async () => {
  plain.close();
  await port.drain(0);
});

/** Sends pieces one after the other and closes its side; resolves with everything that is answered, without the time. */
async function answered(to: number, pieces: readonly Buffer[]): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: to, noDelay: true, allowHalfOpen: true });
  socket.on('error', () => {});
  const answer = text(socket).catch(() => 'cut off');
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await setImmediate();
  }
  socket.end();
  const answers = await answer;
  socket.destroy();
  return answers.replaceAll(/Date: .*\r\n/g, '').replaceAll(/Keep-Alive: .*\r\n/g, '');
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc.constantFrom(127, 128, 129, 255, 256, 4096, 65_535, 65_536, 65_537, 200_000),
);
const body = sizes.map((size) => Buffer.alloc(size, 'GET / HTTP/1.1\r\n\r\n'));
const heads = fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 4 });
const lines = (lengths: readonly number[]): string =>
  lengths.map((length, at) => `x-${at}: ${'v'.repeat(length)}\r\n`).join('');

const request = fc.oneof(
  fc
    .tuple(fc.constantFrom('GET', 'HEAD', 'DELETE', 'OPTIONS'), heads)
    .map(([method, head]) => Buffer.from(`${method} /a?b HTTP/1.1\r\nhost: x\r\n${lines(head)}\r\n`)),
  fc
    .tuple(heads, body, fc.constantFrom('', 'expect: 100-continue\r\n'))
    .map(([head, content, more]) =>
      Buffer.concat([
        Buffer.from(
          `POST /b HTTP/1.1\r\nhost: x\r\n${more}${lines(head)}content-length: ${content.length}\r\n\r\n`,
        ),
        content,
      ]),
    ),
  fc
    .tuple(fc.array(body, { maxLength: 5 }), fc.boolean())
    .map(([chunks, hasTrailer]) =>
      Buffer.concat([
        Buffer.from('POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'),
        ...chunks
          .filter(({ length }) => length > 0)
          .flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
        Buffer.from(hasTrailer ? '0\r\nx-trailer: y\r\n\r\n' : '0\r\n\r\n'),
      ]),
    ),
);
const cuts = fc.array(fc.nat({ max: 5000 }), { maxLength: 12 });

/** Cuts bytes where the numbers say, over and over. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length && pieces.length < 40; turn += 1) {
    const length = (lengths[turn % lengths.length] ?? bytes.length) + 1;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  const sent = pieces.reduce((sum, { length }) => sum + length, 0);
  return [...pieces, bytes.subarray(sent)];
}

it('requests are what they are by Node’s own reading, however many come at once and however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 40 }), cuts, async (requests, lengths) => {
      const pieces = cut(Buffer.concat(requests), lengths);
      const [ours, theirs] = [await answered(ports.ours, pieces), await answered(ports.plain, pieces)];
      expect(ours).toBe(theirs);
      expect(ours.split('HTTP/1.1 200 OK')).toHaveLength(requests.length + 1);
    }),
    { numRuns: 150 },
  );
}, 60_000);
