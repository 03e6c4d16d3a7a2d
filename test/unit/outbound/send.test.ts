import { createServer, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../../fakes/ports.ts';
import { send } from '../../../src/outbound/send.ts';

const limits = { timeoutMs: 5_000, maxBytes: 1_000 };

describe('a request to the outside', () => {
  it('sends everything given, and returns status, headers and body of any answer', async () => {
    const url = await server((request, response) => {
      request.setEncoding('utf8').on('data', (body) => {
        response.writeHead(418, { 'x-said': `${request.method} ${request.headers['content-type']}` });
        response.end(`no ${body}`);
      });
    });
    const answer = await send(url, {
      ...limits,
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'coffee ☕',
    });
    expect(answer).toMatchObject({ status: 418, text: 'no coffee ☕' });
    expect(answer.headers.get('x-said')).toBe('POST text/plain');
  });

  it('follows no redirect', async () => {
    const url = await server((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    expect((await send(url, limits)).status).toBe(302);
  });

  it('decompresses, and bounds the result', async () => {
    const url = await server(({ url: path }, response) =>
      response
        .setHeader('content-encoding', 'gzip')
        .end(gzipSync('a'.repeat(path === '/large' ? 1_001 : 1_000))),
    );
    expect((await send(`${url}/small`, limits)).text).toHaveLength(1_000);
    await expect(send(`${url}/large`, limits)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it.each([
    ['a 304', { status: 304 }],
    ['an empty 200', { status: 200, 'content-length': '0' }],
    ['an empty 200 of unknown length', { status: 200 }],
  ])('takes %s with headers of a compressed one for empty', async (_, { status, ...headers }) => {
    const url = await server((_request, response) =>
      response.writeHead(status, { 'content-encoding': 'gzip', ...headers }).end(),
    );
    expect(await send(url, limits)).toMatchObject({ status, text: '' });
  });

  it('is refused half an answer in whole framing', async () => {
    const half = gzipSync('a'.repeat(1_000)).subarray(0, 15);
    const url = await server((_, response) => response.setHeader('content-encoding', 'gzip').end(half));
    await expect(send(url, limits)).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
  });

  it('closes the connection of an answer without an end', async () => {
    let sent = 0;
    let closed = false;
    const url = await server((_, response) => {
      const more = (): void => {
        while (!response.destroyed && sent < 2 ** 30 && response.write('x'.repeat(10_000))) sent += 10_000;
      };
      response.on('drain', more).on('close', () => {
        closed = true;
      });
      more();
    });
    await expect(send(url, limits)).rejects.toThrow(/^answers with more than 1000 bytes$/);
    await expect.poll(() => closed).toBe(true);
    // The capacity of two sockets' buffers.
    expect(sent).toBeLessThan(2 ** 25);
  });

  it.each([
    ['answers nothing', () => {}],
    ['stops in the middle', (_, response) => void response.write('a')],
  ] satisfies [string, RequestListener][])('gives up when the server %s', async (_, listener) => {
    const url = await server(listener);
    await expect(send(url, { ...limits, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TOO_LATE',
      message: 'does not answer within 50 ms',
    });
    const own = new AbortController();
    const cancelled = send(url, { ...limits, signal: own.signal });
    own.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(send(url, { ...limits, signal: own.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it.each([
    ['stops in the middle', (_, response) => void response.write('a')],
    ['is too large', (_, response) => void response.end('a'.repeat(1_001))],
  ] satisfies [string, RequestListener][])('has a status where its body %s', async (_, listener) => {
    const url = await server(listener);
    const answer = send(url, { ...limits, timeoutMs: 300, statusOnly: true });
    await expect(answer).resolves.toMatchObject({ status: 200, text: '' });
  });

  it('says why a host cannot be reached', async () => {
    const error = { code: 'ECONNREFUSED', message: 'cannot be reached (ECONNREFUSED)' };
    await expect(send('http://127.0.0.1:1', limits)).rejects.toMatchObject(error);
  });

  it('keeps its connection, and repeats a request that a closing one did not take', async () => {
    let connections = 0;
    let taken = 0;
    const url = await server(
      (request, response) => {
        taken += 1;
        response.end('ok', () => {
          if (taken === 2) setImmediate(() => request.socket.resetAndDestroy());
        });
      },
      () => {
        connections += 1;
      },
    );
    for (let request = 0; request < 4; request += 1) expect((await send(url, limits)).text).toBe('ok');
    expect({ taken, connections }).toEqual({ taken: 4, connections: 2 });
  });
});

async function server(listener: RequestListener, connected = () => {}): Promise<string> {
  const http = createServer(listener).on('connection', connected);
  const port = await listen(http);
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${port}`;
}
