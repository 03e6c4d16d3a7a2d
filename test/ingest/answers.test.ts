import { describe, expect, it } from 'vitest';
import { type Post, post, receiver, senders, sign, startIngest } from '../support/ingest.ts';

const acme = receiver('acme', ['s3cret']);
const other = receiver('other', ['0ther']);
const queued = JSON.stringify({ action: 'queued', owner: 'acme' });
const signed = (more: Post = {}): Post => ({ body: queued, secret: 's3cret', ...more });

describe('a webhook of GitHub', () => {
  it('is kept as an event of its connection, then accepted', async () => {
    const { port, kept, counted } = await startIngest([acme, other]);
    const before = Date.now() - 1000;
    const { status, body } = await post(port, signed());
    expect([status, body]).toEqual([202, { accepted: 'kept' }]);
    expect(kept).toEqual([
      {
        connection: 'acme',
        type: 'workflow_job.queued',
        id: '0b989ba4-242f-11e5-81e1-c7b6966d2516',
        receivedAtMs: expect.any(Number),
        fact: { of: 'acme' },
      },
    ]);
    expect(kept[0]?.receivedAtMs).toBeGreaterThan(before);
    expect(await counted('accepted')).toBe(1);
  });

  it('may come as a form, whose raw body is signed', async () => {
    const { port, kept } = await startIngest([acme]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `payload=${encodeURIComponent(queued)}`;
    expect((await post(port, { body, secret: 's3cret', headers })).status).toBe(202);
    expect(kept).toHaveLength(1);
    expect((await post(port, { body: 'pay=1', secret: 's3cret', headers })).status).toBe(400);
  });

  it('may come in chunks and with a charset, and its connection can be used again', async () => {
    const { port, kept } = await startIngest([acme]);
    const headers = {
      connection: 'keep-alive',
      'transfer-encoding': 'chunked',
      'content-type': 'Application/JSON; charset=UTF-8',
    };
    const { status, headers: answered } = await post(port, signed({ headers }));
    expect([status, answered.connection]).toEqual([202, 'keep-alive']);
    expect(kept).toHaveLength(1);
  });

  it('is an event of every connection that it names and whose secret signed it', async () => {
    const twin = receiver('acme', ['s3cret'], { name: 'twin' });
    const apart = receiver('acme', ['apart'], { name: 'apart' });
    const { port, kept } = await startIngest([acme, twin, apart]);
    expect((await post(port, signed())).status).toBe(202);
    expect(kept.map(({ connection }) => connection)).toEqual(['acme', 'twin']);
    expect((await post(port, signed({ path: '/ingest/github/twin' }))).status).toBe(202);
    expect(kept.map(({ connection }) => connection)).toEqual(['acme', 'twin', 'twin']);
  });

  it('that is a ping is answered', async () => {
    const { port, counted, kept } = await startIngest([acme]);
    const ping = { body: '{"zen":"x"}', secret: 's3cret', headers: { 'x-github-event': 'ping' } };
    expect(await post(port, ping)).toMatchObject({ status: 200, body: { accepted: 'ping' } });
    expect([await counted('ping'), kept.length]).toEqual([1, 0]);
  });

  it('that means nothing to a ledger is accepted, and counted separately', async () => {
    const { port, counted, kept } = await startIngest([acme]);
    expect((await post(port, signed({ headers: { 'x-github-event': 'push' } }))).status).toBe(202);
    expect([await counted('ignored'), kept.length]).toEqual([1, 0]);
  });

  it("verifies GitHub's documented example", async () => {
    const { port } = await startIngest([receiver('acme', ["It's a Secret to Everybody"])]);
    const documented = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const send = async (signature: string) =>
      (await post(port, { body: 'Hello, World!', headers: { 'x-hub-signature-256': signature } })).status;
    // It is not JSON, which only matters once the signature is right.
    expect(await send(documented)).toBe(400);
    expect(await send(documented.replace('7571', '7570'))).toBe(401);
  });
});

describe('a request that is refused', () => {
  const wrong = { 'x-hub-signature-256': sign(queued, 'wrong') };
  it.each<[string, Post, number, string]>([
    ['without a signature', { body: queued }, 401, 'unsigned'],
    [
      'with an old signature only',
      { body: queued, headers: { 'x-hub-signature': 'sha1=00' } },
      401,
      'unsigned',
    ],
    [
      'with a signature that is none',
      { body: queued, headers: { 'x-hub-signature-256': 'sha256=abc' } },
      401,
      'unsigned',
    ],
    ['with a wrong signature', { body: queued, headers: wrong }, 401, 'refused'],
    ['without a body', { secret: 's3cret' }, 401, 'refused'],
    ['whose body is no UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]), secret: 's3cret' }, 401, 'refused'],
    [
      'for a connection that is not there',
      signed({ path: '/ingest/github/nobody' }),
      401,
      'unknown_connection',
    ],
    ['as XML', signed({ headers: { 'content-type': 'text/xml' } }), 415, 'unsupported'],
    ['as a type that is none', signed({ headers: { 'content-type': 'nonsense' } }), 415, 'unsupported'],
    ['without a content type', signed({ headers: { 'content-type': [] } }), 415, 'unsupported'],
    ['that is no JSON', signed({ body: '{"action":' }), 400, 'malformed'],
    ['without an event', signed({ headers: { 'x-github-event': '' } }), 400, 'malformed'],
    ['signed by another connection', { body: queued, secret: '0ther' }, 403, 'foreign'],
    ["at another connection's path", signed({ path: '/ingest/github/other' }), 401, 'refused'],
    ['about nobody', signed({ body: 'null' }), 403, 'foreign'],
    ['as GET', { method: 'GET' }, 405, 'unsupported'],
    ['as OPTIONS', { method: 'OPTIONS', path: '/ingest/github/acme' }, 405, 'unsupported'],
    ['as PUT', signed({ method: 'PUT' }), 405, 'unsupported'],
  ])('%s', async (_, sent, status, outcome) => {
    const { port, kept, counted, log } = await startIngest([acme, other]);
    const answered = await post(port, sent);
    expect(answered.status).toBe(status);
    expect(answered.body).toEqual({ error: expect.any(String) });
    expect(answered.headers.connection).toBe('close');
    expect(await counted(outcome)).toBe(1);
    expect(kept).toEqual([]);
    expect(JSON.stringify([answered.body, log.lines])).not.toMatch(/s3cret|0ther|queued/);
  });

  it('has its faults found in their order: signature, type, size; and nothing of a connection', async () => {
    const { port } = await startIngest([acme]);
    const huge = 'x'.repeat(6 * 1024 * 1024);
    const headers = { 'content-type': 'text/plain' };
    const status = async (sent: Post) => (await post(port, sent)).status;
    for (const path of ['/ingest/github/nobody', '/ingest/github/acme', '/ingest/github']) {
      expect(await status({ path, body: huge, headers })).toBe(401);
      expect(await status({ path, body: huge, headers, secret: 'wrong' })).toBe(415);
      expect(await status({ path, body: huge, secret: 'wrong' })).toBe(413);
    }
  });

  it('is not found: other paths, and unreadable paths', async () => {
    const { port } = await startIngest([acme]);
    for (const path of [
      '/',
      '/healthz',
      '/ingest',
      '/ingest/github/a/b',
      '/ingest/github/%zz',
      `/ingest/github/${'a'.repeat(101)}`,
    ]) {
      const { status, body } = await post(port, signed({ path }));
      expect([path, status, body]).toEqual([path, 404, { error: expect.any(String) }]);
      expect((await post(port, { path, body: 'x', headers: { 'content-type': 'x' } })).status).toBe(404);
    }
  });

  it('has no receiver', async () => {
    const { port } = await startIngest([receiver('acme', ['s3cret'], { kind: 'gitlab' })]);
    expect((await post(port, signed())).status).toBe(401);
  });

  it('would need too many secrets to be tried', async () => {
    const many = Array.from({ length: 33 }, (_, i) => receiver(`owner-${i}`, [`secret-${i}`]));
    const { port, log } = await startIngest([...many.slice(1), acme]);
    expect((await post(port, signed())).status).toBe(401);
    expect(log.lines).toMatchObject([{ message: expect.stringContaining('more than 32 secrets') }]);
    expect((await post(port, signed({ path: '/ingest/github/acme' }))).status).toBe(202);
    const shared = await startIngest([...many.map((one) => ({ ...one, secrets: ['one'] })), acme]);
    expect((await post(shared.port, signed())).status).toBe(202);
  });

  it('must come again while the log cannot keep it', async () => {
    const events = { append: () => Promise.reject(new Error('disk full')) };
    const { port, counted, log } = await startIngest([acme], { events });
    const { status, headers } = await post(port, signed());
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(await counted('unavailable')).toBe(1);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { error: 'disk full' } });
  });

  it('meets a fault of our own', async () => {
    const broken = receiver('acme', ['s3cret'], {
      owns: () => {
        throw new TypeError('x is not a function');
      },
    });
    const { port, counted } = await startIngest([broken]);
    expect((await post(port, signed())).status).toBe(500);
    expect(await counted('unavailable')).toBe(1);
  });
});

describe('secrets', () => {
  it('can be several while one is replaced', async () => {
    const { port, server, limits } = await startIngest([acme]);
    const statuses = async () => [
      (await post(port, signed())).status,
      (await post(port, signed({ secret: 'n3xt' }))).status,
    ];
    expect(await statuses()).toEqual([202, 401]);
    server.use(senders({ receivers: [receiver('acme', ['n3xt', 's3cret'])] }), limits);
    expect(await statuses()).toEqual([202, 202]);
    server.use(senders({ receivers: [receiver('acme', ['n3xt'])] }), limits);
    expect(await statuses()).toEqual([401, 202]);
    server.use(senders({ receivers: [] }), limits);
    expect(await statuses()).toEqual([401, 401]);
  });
});

it('logs that signatures are refused, once for each path, with the hook', async () => {
  const { port, log } = await startIngest([acme]);
  const headers = (hook: string) => ({ 'x-github-hook-id': hook });
  for (const hook of ['292430182', '1', '2'])
    await post(port, signed({ secret: 'wrong', headers: headers(hook) }));
  await post(port, signed({ path: '/ingest/github/acme', secret: 'wrong', headers: headers('a"b') }));
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { hookId: '292430182' }],
    ['warn', { connection: 'acme' }],
  ]);
});
