import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { httpsGet } from '../../../../src/ingest/sns/https-get.ts';
import { makeCertificates } from '../../../support/certificates.ts';

let tls: { cert: string; key: string };

beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), 'get-'));
  const { server } = makeCertificates(dir);
  const [cert, key] = [server.cert, server.key].map((path) => readFileSync(path, 'utf8'));
  tls = { cert: cert ?? '', key: key ?? '' };
  rmSync(dir, { recursive: true });
});

/** A server with this answer. Returns its address and the requests. */
async function serve(answer: RequestListener, { secure = false } = {}) {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  };
  const server = secure ? createServer(tls, listener) : createHttp(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}/a?b=c`, asked };
}

const limits = { timeoutMs: 5_000, maxBytes: 1_000, signal: new AbortController().signal };
const fetched = (url: string, more = {}) => httpsGet(url, { ...limits, ...more });

describe('a call by HTTPS', () => {
  it('has the text as its answer', async () => {
    const { url, asked } = await serve((_, response) => response.end('ü'));
    expect(await fetched(url)).toBe('ü');
    expect(asked).toEqual(['/a?b=c']);
  });

  it('does not follow a redirect', async () => {
    const { url, asked } = await serve((_, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await expect(fetched(url)).rejects.toMatchObject({ code: 'unavailable', message: 'answers with 302' });
    expect(asked).toEqual(['/a?b=c']);
  });

  it.each([
    [403, 'not_found'],
    [404, 'not_found'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [204, 'unavailable'],
  ])('answered with %d is %s', async (status, code) => {
    const { url } = await serve((_, response) => response.writeHead(status).end());
    await expect(fetched(url)).rejects.toMatchObject({ code });
  });

  it('reads no more than its limit', async () => {
    const { url } = await serve((_, response) => response.end('x'.repeat(1_001)));
    await expect(fetched(url)).rejects.toMatchObject({ message: 'answers with more than 1000 bytes' });
  });

  it.each<[string, RequestListener]>([
    ['nothing', () => {}],
    ['the half', (_, response) => response.write('x')],
  ])('that gets %s ends in time', async (_, answer) => {
    const { url } = await serve(answer);
    await expect(fetched(url, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'does not answer within 100 ms',
    });
  });

  it('ends when it is closed', async () => {
    const closing = new AbortController();
    const { url } = await serve(() => closing.abort());
    await expect(fetched(url, { signal: closing.signal })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is refused with an untrusted certificate', async () => {
    const { url, asked } = await serve((_, response) => response.end('x'), { secure: true });
    await expect(fetched(url)).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked).toEqual([]);
  });

  it('that is cut is not an answer', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy());
    });
    await expect(fetched(url)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
