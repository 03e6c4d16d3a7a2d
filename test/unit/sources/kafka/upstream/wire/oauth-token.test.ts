import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listen } from '../../../../../../fakes/ports.ts';
import type {
  OAuthTokenOptions,
  TokenProvider,
} from '../../../../../../src/sources/kafka/upstream/wire/tokens.ts';
import { oauthToken } from '../../../../../../src/sources/kafka/upstream/wire/tokens.ts';

interface Asked {
  method: string | undefined;
  headers: IncomingMessage['headers'];
  form: Record<string, string>;
}

interface Endpoint {
  asked: Asked[];
  token(options?: Partial<OAuthTokenOptions>): TokenProvider;
}

/** A token endpoint on a free port. `answer` gets the number of the request, from 0. */
async function endpoint(answer: (response: ServerResponse, count: number) => void): Promise<Endpoint> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    asked.push({ method: request.method, headers: request.headers, form });
    answer(response, asked.length - 1);
  });
  const port = await listen(server);
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const tokenEndpoint = `http://127.0.0.1:${port}/token?realm=a`;
  const given = { tokenEndpoint, clientId: 'scaler', clientSecret: 'hunter: 2&ü' };
  return { asked, token: (options) => oauthToken({ ...given, ...options }) };
}

const json = (response: ServerResponse, body: unknown, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const numbered = (expiresIn: unknown) => (response: ServerResponse, count: number) =>
  json(response, { access_token: `token-${count}`, token_type: 'Bearer', expires_in: expiresIn });

describe('oauthToken', () => {
  it('asks with client credentials: basic, form-encoded first (RFC 6749 §2.3.1)', async () => {
    const { asked, token } = await endpoint(numbered(300));
    expect(await token({ scope: 'kafka read' })()).toBe('token-0');
    const basic = Buffer.from('scaler:hunter%3A+2%26%C3%BC').toString('base64');
    expect(asked).toEqual([
      {
        method: 'POST',
        headers: expect.objectContaining({
          authorization: `Basic ${basic}`,
          'content-type': expect.stringContaining('application/x-www-form-urlencoded'),
        }),
        form: { grant_type: 'client_credentials', scope: 'kafka read' },
      },
    ]);
  });

  it('or in the body, for servers that need that', async () => {
    const { asked, token } = await endpoint(numbered(300));
    await token({ clientAuthentication: 'body' })();
    expect(asked[0]?.headers.authorization).toBeUndefined();
    expect(asked[0]?.form).toEqual({
      grant_type: 'client_credentials',
      client_id: 'scaler',
      client_secret: 'hunter: 2&ü',
    });
  });

  it.each([[100], ['100']])('keeps a token for 80 % of its life (expires_in %j)', async (expiresIn) => {
    const { asked, token } = await endpoint(numbered(expiresIn));
    const provider = token();
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    expect(await provider()).toBe('token-0');
    vi.advanceTimersByTime(79_000);
    expect(await provider()).toBe('token-0');
    vi.advanceTimersByTime(2000);
    expect(await provider()).toBe('token-1');
    expect(asked).toHaveLength(2);
  });

  it('keeps no token that a broker refuses, but one that was never good', async () => {
    const { token } = await endpoint(numbered(3600));
    const provider = token();
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    expect(await provider()).toBe('token-0');
    provider.refused?.('token-0');
    expect(await provider(), 'issued a moment ago').toBe('token-0');
    vi.advanceTimersByTime(11_000);
    provider.refused?.('of before');
    expect(await provider()).toBe('token-0');
    provider.refused?.('token-0');
    expect(await provider()).toBe('token-1');
  });

  it('requests once for all callers at the same time', async () => {
    const { asked, token } = await endpoint(numbered(300));
    const provider = token();
    expect(await Promise.all([provider(), provider(), provider()])).toEqual([
      'token-0',
      'token-0',
      'token-0',
    ]);
    expect(asked).toHaveLength(1);
  });

  it('does not keep a failure', async () => {
    const { token } = await endpoint((response, count) => {
      if (count === 0) json(response, {}, 503);
      else json(response, { access_token: 'late' });
    });
    const provider = token();
    await expect(provider()).rejects.toThrow(/HTTP 503/);
    expect(await provider()).toBe('late');
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      'a refusal',
      (response) => json(response, { error: 'invalid_client' }, 401),
      /answers HTTP 401 invalid_client: check the connection's `sasl`/,
    ],
    [
      'a refusal that repeats the secret',
      (response) => json(response, { error: 'hunter: 2&ü' }, 400),
      /answers HTTP 400: check/,
    ],
    [
      'a redirect',
      (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /answers HTTP 302/,
    ],
    ['HTML', (response) => response.end('<html>'), /without a usable `access_token`/],
    ['no token', (response) => json(response, { token: 'x' }), /without a usable `access_token`/],
    [
      'a token that has ended',
      (response) => json(response, { access_token: 'x', expires_in: 0 }),
      /without a usable/,
    ],
    [
      'an endless answer',
      (response) => response.end(Buffer.alloc(300 * 1024)),
      /answers with more than 262144 bytes/,
    ],
    ['a broken connection', (response) => response.destroy(), /cannot be reached \(ECONNRESET\)/],
  ])('reports what is wrong, never the secret: %s', async (_, answer, message) => {
    const { token } = await endpoint(answer);
    const reason: unknown = await token()().catch((error: unknown) => error);
    expect(reason).toMatchObject({
      name: 'ScalerError',
      code: 'unavailable',
      message: expect.stringMatching(message),
    });
    expect(reason).toMatchObject({
      message: expect.stringMatching(/^the OAuth token endpoint at 127\.0\.0\.1:\d+ /),
    });
    expect(String(reason)).not.toContain('hunter');
  });

  it('gives up on an endpoint that hangs', async () => {
    const { token } = await endpoint(() => {});
    await expect(token({ timeoutMs: 50 })()).rejects.toThrow(/does not answer within 50 ms/);
  });

  it('reports that nobody listens', async () => {
    const provider = oauthToken({ tokenEndpoint: 'http://127.0.0.1:1/', clientId: 'a', clientSecret: 'b' });
    await expect(provider()).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/);
  });
});
