import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { RunningTriggers } from '../../../src/cli/running-triggers.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Reply {
  readonly status?: number;
  readonly body: string;
}

/** An admin port with this answer. Returns its address and the requests. */
async function admin(reply: (url: URL, authorization: string | undefined) => Reply) {
  const asked: string[] = [];
  const one = createServer(({ url = '', headers }, response) => {
    asked.push(url);
    const { status = 200, body } = reply(new URL(url, 'http://admin'), headers.authorization);
    response.writeHead(status).end(body);
  });
  server = one;
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const address = one.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, asked };
}

const trigger = (name: string, namespace = 'shop') => ({ namespace, name, source: 'kafka', up: true });
const page = (triggers: readonly object[], nextCursor?: string): Reply => ({
  body: JSON.stringify({ triggers, nextCursor }),
});

describe('the triggers of a running scaler', () => {
  it('are found on whatever page, and no further one is read', async () => {
    const { url, asked } = await admin((asked) => {
      switch (asked.searchParams.get('cursor')) {
        case null:
          return page([trigger('a'), trigger('b')], 'second');
        case 'second':
          return page([trigger('b'), trigger('c')], 'third');
        default:
          return page([trigger('d')]);
      }
    });
    const found = await new RunningTriggers(url, undefined).of('shop', 'b');
    expect(found).toEqual([trigger('b'), trigger('b')]);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toContain('namespace=shop');
  });

  it('are requested with the token, which no message has', async () => {
    const { url } = await admin((_, authorization) =>
      authorization === 'Bearer right-token' ? page([trigger('a')]) : { status: 401, body: '' },
    );
    expect(await new RunningTriggers(url, 'right-token').of('shop', 'a')).toHaveLength(1);
    await expect(new RunningTriggers(url, 'wrong-token').of('shop', 'a')).rejects.toThrow(
      /^--admin http:\S+: asks for another token: --admin-token-file$/,
    );
  });

  it.each<[string, Reply, RegExp]>([
    ['no JSON', { body: '<html>' }, /answers something else than the triggers/],
    ['other JSON', { body: '{"triggers":[{"name":7}]}' }, /answers something else than the triggers/],
    ['another status', { status: 404, body: '' }, /answers 404/],
    ['far too much', { body: `"${'x'.repeat(5 * 1024 * 1024)}"` }, /answers with more than \d+ bytes/],
  ])('are not accepted from %s', async (_, reply, message) => {
    const { url } = await admin(() => reply);
    await expect(new RunningTriggers(url, undefined).of('shop', 'a')).rejects.toThrow(message);
  });

  it('end, even if pages do not', async () => {
    const { url, asked } = await admin(() => page([trigger('a')], 'again'));
    expect(await new RunningTriggers(url, undefined).of('shop', 'z')).toEqual([]);
    expect(asked).toHaveLength(1000);
  });

  it.each(['admin:8080', 'ftp://admin', 'http://'])('need an address: %s', (url) => {
    expect(() => new RunningTriggers(url, undefined)).toThrow(/^--admin must be http/);
  });
});
