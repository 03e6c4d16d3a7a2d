import { describe, expect, it } from 'vitest';
import type { Hinted } from '../../src/ingest/senders.ts';
import { type Post, post, senders, startIngest } from '../support/ingest.ts';

const jobs: Hinted = { name: 'jobs', snsTopics: new Set() };
const builds: Hinted = { name: 'builds', snsTopics: new Set() };
const tokens = [
  { name: 'producer', token: 'pr0ducer-0123456789', connections: ['jobs'] },
  { name: 'producer', token: 'pr0ducer-9876543210', connections: ['jobs'] },
  { name: 'all', token: 'a11-0123456789abcdef', connections: ['jobs', 'builds'] },
];
const authorization = 'Bearer pr0ducer-0123456789';

async function start(options: Parameters<typeof startIngest>[1] = {}) {
  const others = senders({ connections: [jobs, builds], tokens });
  const started = await startIngest([], { others, hint: (_, subject) => subject !== 'nobody', ...options });
  const status = async (more: Post = {}) => (await hint(started.port, more)).status;
  return { ...started, status, outcome: (name: string) => started.counted(name, 'hint') };
}

function hint(port: number, more: Post = {}) {
  return post(port, { path: '/ingest/hint/jobs/orders', headers: { authorization }, ...more });
}

describe('a hint', () => {
  it('wakes the subject in its path', async () => {
    const { port, hints, outcome } = await start();
    const { status, body } = await hint(port);
    expect([status, body]).toEqual([202, { accepted: 'is looked at now' }]);
    expect([hints, await outcome('accepted')]).toEqual([[['jobs', 'orders', 'hint']], 1]);
  });

  it.each<[string, string | undefined]>([
    ['', undefined],
    ['/', undefined],
    ['/acme/web', 'acme/web'],
    ['/acme%2Fweb', 'acme/web'],
    ['/acme%252Fweb', 'acme%2Fweb'],
    ['/a+b%20c', 'a+b c'],
    ['/%C3%BC', 'ü'],
    ['/a//b/', 'a/b'],
    ['//acme/web', 'acme/web'],
    ['/..%2F..%2Fx', '../../x'],
    ['/a?subject=b', 'a'],
    [
      '/https:%2F%2Fsqs.eu-central-1.amazonaws.com%2F123456789012%2Forders',
      'https://sqs.eu-central-1.amazonaws.com/123456789012/orders',
    ],
    [`/${'a'.repeat(512)}`, 'a'.repeat(512)],
  ])('at %j is for %j', async (rest, subject) => {
    const { hints, status } = await start();
    expect(await status({ path: `/ingest/hint/jobs${rest}` })).toBe(202);
    expect(hints).toEqual([['jobs', subject, 'hint']]);
  });

  it.each(['//ingest/hint/jobs/orders', '/ingest//hint//jobs///orders/'])(
    'is for the same at %s: a base address may end in a slash',
    async (path) => {
      const { hints, status } = await start();
      expect([await status({ path }), hints]).toEqual([202, [['jobs', 'orders', 'hint']]]);
    },
  );

  it.each(['/ingest/hint', '/ingest/hint/jobs/%zz', `/ingest/hint/jobs/${'a'.repeat(513)}`])(
    'is nowhere at %s',
    async (path) => {
      const { hints, status } = await start();
      expect([await status({ path }), hints]).toEqual([404, []]);
    },
  );

  it('may have any body, of any type, or none', async () => {
    const { status, outcome } = await start();
    for (const type of ['text/plain', 'application/xml', 'nonsense', []]) {
      expect(await status({ body: '\u0000<a>{"', headers: { authorization, 'content-type': type } })).toBe(
        202,
      );
    }
    expect(await status({ headers: { authorization, 'content-type': [] } })).toBe(202);
    expect(await status({ body: 'x'.repeat(64 * 1024) })).toBe(202);
    expect(await outcome('accepted')).toBe(6);
  });

  it('for an unmeasured subject is accepted, and counted separately', async () => {
    const { port, outcome } = await start();
    const { status, body } = await hint(port, { path: '/ingest/hint/jobs/nobody' });
    expect([status, body]).toEqual([202, { accepted: 'nobody watches it' }]);
    expect(await outcome('unwatched')).toBe(1);
  });
});

describe('a hint is refused', () => {
  const as = (text?: string): Post => ({ headers: text === undefined ? {} : { authorization: text } });
  it.each<[string, Post, number, string]>([
    ['without a token', as(), 401, 'unsigned'],
    ['with an empty token', as('Bearer '), 401, 'unsigned'],
    ['with a password', as('Basic cHIwZHVjZXI6eA=='), 401, 'unsigned'],
    ['with a token that is none of ours', as('Bearer pr0ducer-0123456780'), 401, 'refused'],
    ['with the start of a token', as('Bearer pr0ducer'), 401, 'refused'],
    [
      'with a token in its query',
      { ...as(), path: '/ingest/hint/jobs?access_token=pr0ducer-0123456789' },
      401,
      'unsigned',
    ],
    ['for a connection that is not there', { path: '/ingest/hint/nobody/x' }, 404, 'unknown_connection'],
    ['for a name that every object has', { path: '/ingest/hint/constructor' }, 404, 'unknown_connection'],
    ['for a connection that the token is not for', { path: '/ingest/hint/builds/x' }, 403, 'foreign'],
    ['that is too large', { body: 'x'.repeat(64 * 1024 + 1) }, 413, 'too_large'],
    ['as GET', { method: 'GET' }, 405, 'unsupported'],
    ['as OPTIONS', { method: 'OPTIONS' }, 405, 'unsupported'],
  ])('%s', async (_, sent, status, expected) => {
    const { port, hints, outcome, log } = await start();
    const answered = await hint(port, sent);
    expect([answered.status, answered.body]).toEqual([status, { error: expect.any(String) }]);
    expect([hints, await outcome(expected)]).toEqual([[], 1]);
    expect(JSON.stringify([answered.body, log.lines])).not.toContain('pr0ducer');
  });

  it('in this order: token, connection, size, room', async () => {
    const { status } = await start({ limits: { maxBodyBytes: 1024, maxInflightBytes: 1024 } });
    const body = 'x'.repeat(2048);
    const [wrong, path] = [{ authorization: 'Bearer wrong' }, '/ingest/hint/nobody'];
    expect(await status({ headers: wrong, path, body })).toBe(401);
    expect(await status({ path, body })).toBe(404);
    expect(await status({ path: '/ingest/hint/builds', body })).toBe(403);
    expect(await status({ body })).toBe(413);
  });

  it('with the scheme it needs (RFC 6750)', async () => {
    const { port } = await start();
    const asked = async (more: Post) => (await hint(port, more)).headers['www-authenticate'];
    expect(await asked(as())).toBe('Bearer');
    expect(await asked(as('Bearer wrong'))).toBe('Bearer error="invalid_token"');
    expect(await asked({ path: '/ingest/hint/builds' })).toBeUndefined();
  });
});

describe('tokens', () => {
  it('are each for the connections that they list, whatever the case of "Bearer"', async () => {
    const { status } = await start();
    for (const [token, path, expected] of [
      ['Bearer a11-0123456789abcdef', '/ingest/hint/jobs', 202],
      ['bearer  a11-0123456789abcdef', '/ingest/hint/builds', 202],
      ['BEARER pr0ducer-9876543210 ', '/ingest/hint/jobs', 202],
      ['Bearer pr0ducer-9876543210', '/ingest/hint/builds', 403],
    ] as const) {
      expect([token, path, await status({ path, headers: { authorization: token } })]).toEqual([
        token,
        path,
        expected,
      ]);
    }
  });

  it('are replaced from one request to the next', async () => {
    const { server, limits, status } = await start();
    const [, next] = tokens;
    const use = (some: typeof tokens) => server.use(senders({ connections: [jobs], tokens: some }), limits);
    use(next === undefined ? [] : [next]);
    expect(await status()).toBe(401);
    expect(await status({ headers: { authorization: 'Bearer pr0ducer-9876543210' } })).toBe(202);
    use([]);
    expect(await status({ headers: { authorization: 'Bearer pr0ducer-9876543210' } })).toBe(401);
  });
});
