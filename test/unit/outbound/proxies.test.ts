import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Agents, agentsOf } from '../../../src/outbound/agents.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { connectProxy } from '../../support/connect-proxy.ts';

const settings = { maxSockets: 2, proxyTimeoutMs: 200 };

afterEach(() => vi.unstubAllEnvs());

describe('requests if the environment names a proxy', () => {
  it('go through it, on kept tunnels, with its user and password', async () => {
    const { get, proxy } = await behindProxy();
    await expect(get('/a')).resolves.toBe('200 /a');
    await expect(get('/b')).resolves.toBe('200 /b');
    expect(proxy.asked).toEqual(['CONNECT target.test:443']);
    expect(proxy.authorizations).toEqual([`Basic ${btoa('scaler:s3cret')}`]);
  });

  it('share as many tunnels as there may be connections', async () => {
    const { get, proxy } = await behindProxy();
    const paths = ['/1', '/2', '/3', '/4', '/5'];
    await expect(Promise.all(paths.map((path) => get(path)))).resolves.toEqual(
      paths.map((path) => `200 ${path}`),
    );
    expect(proxy.asked.length).toBeLessThanOrEqual(3);
  });

  it('go past it to the hosts of NO_PROXY', async () => {
    const { get, proxy } = await behindProxy({ NO_PROXY: 'other.test,.test' });
    // Only the proxy knows where the host is.
    await expect(get('/')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(proxy.asked).toEqual([]);
  });

  it.each(['https_proxy', 'ALL_PROXY'])('read %s too', async (name) => {
    const { get, proxy } = await behindProxy({ HTTPS_PROXY: '' }, name);
    await expect(get('/')).resolves.toBe('200 /');
    expect(proxy.asked).toHaveLength(1);
  });

  it.each([
    [
      'refusing',
      'the proxy http://127.0.0.1:PORT does not let the request through (HTTP 407): put user and password into its address',
    ],
    ['silent', 'the proxy http://127.0.0.1:PORT does not let the request through within 200 ms'],
  ] as const)('fail with the fault of a proxy that is %s, and leave no socket', async (as, message) => {
    const { get, proxy } = await behindProxy();
    proxy.behave(as);
    const port = new URL(proxy.url).port;
    await expect(get('/')).rejects.toMatchObject({ code: 'PROXY', message: message.replace('PORT', port) });
    await expect.poll(() => proxy.open).toBe(0);
    proxy.behave('well');
    await expect(get('/')).resolves.toBe('200 /');
  });

  it('can be cancelled while the tunnel is silent', async () => {
    const { get, proxy } = await behindProxy({}, 'HTTPS_PROXY', { proxyTimeoutMs: 60_000 });
    proxy.behave('silent after its yes');
    const own = new AbortController();
    const cancelled = get('/', own.signal);
    await expect.poll(() => proxy.asked.length).toBe(1);
    own.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORT_ERR' });
    await expect.poll(() => proxy.open).toBe(0);
  });

  it('fail if nobody is at the proxy’s address, or the address is invalid', async () => {
    const { get } = await behindProxy({ HTTPS_PROXY: 'http://me:s3cret@127.0.0.1:1' });
    await expect(get('/')).rejects.toThrow(
      /^the proxy http:\/\/127.0.0.1:1 cannot be reached \(ECONNREFUSED\)/,
    );
    const socks = await behindProxy({ HTTPS_PROXY: 'socks5://me:s3cret@127.0.0.1:1' });
    await expect(socks.get('/')).rejects.toThrow(/^the proxy socks5:\/\/127.0.0.1:1 cannot be used/);
  });

  it('over plain HTTP are given to it as a whole', async () => {
    const http = createHttp(({ url }, response) => response.end(`plain ${url}`)).listen(0, '127.0.0.1');
    onTestFinished(() => void http.close());
    await once(http, 'listening');
    const proxy = await connectProxy({ 'plain.test': portOf(http.address()) });
    vi.stubEnv('HTTP_PROXY', proxy.url);
    // It reads the environment when it is loaded.
    const { send } = await import('../../../src/outbound/send.ts');
    const limits = { timeoutMs: 5_000, maxBytes: 100 };
    await expect(send('http://plain.test/a?b', limits)).resolves.toMatchObject({ text: 'plain /a?b' });
    expect(proxy.asked).toEqual(['GET http://plain.test/a?b']);
    const { oauthToken } = await import('../../../src/sources/kafka/upstream/wire/tokens.ts');
    const login = { clientId: 'me', clientSecret: 'x', tokenEndpoint: 'http://plain.test/token' };
    await expect(oauthToken(login)()).rejects.toThrow('without a usable `access_token`');
    expect(proxy.asked.at(-1)).toBe('POST http://plain.test/token');
    proxy.behave('refusing');
    await expect(send('http://plain.test/', limits)).rejects.toMatchObject({ code: 'PROXY' });
  });
});

/** A server `target.test` that only the proxy can find. */
async function behindProxy(
  environment: Readonly<Record<string, string>> = {},
  name = 'HTTPS_PROXY',
  more: Partial<typeof settings> = {},
) {
  const { server: pair, ca } = makeCertificates(mkdtempSync(join(tmpdir(), 'proxied-')), {
    serverAltNames: 'DNS:target.test',
  });
  const server = createServer(
    { cert: readFileSync(pair.cert), key: readFileSync(pair.key) },
    ({ url }, response) => response.end(url),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await connectProxy({ 'target.test': portOf(server.address()) });
  for (const [key, value] of Object.entries({ [name]: proxy.url, ...environment })) vi.stubEnv(key, value);
  const agents = await agentsOf({ ...settings, ...more });
  onTestFinished(() => {
    for (const agent of Object.values(agents)) agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const trusted = readFileSync(ca);
  return { proxy, get: (path: string, signal?: AbortSignal) => get(agents, path, trusted, signal) };
}

function get({ httpsAgent }: Agents, path: string, ca: Buffer, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { agent: httpsAgent, ca, ...(signal && { signal }) };
    const sent = request(`https://target.test${path}`, options, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port);
  throw new Error('the server has no port');
}
