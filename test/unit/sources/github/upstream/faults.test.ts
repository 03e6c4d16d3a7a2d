import { describe, expect, it } from 'vitest';
import type { Reply } from './scripted-github.ts';
import { appPem, failure, never, scripted, setup, token } from './setup.ts';

const noRuns = { body: { total_count: 0, workflow_runs: [] } };

/** The error of a request for runs with this answer. It must never show the token. */
async function faultOf(reply: Reply, options: { requestTimeoutMs?: number } = {}, requests = 1) {
  const { api, counted } = await setup(() => reply, options);
  const error = await failure(api.openRuns('acme/shop', never));
  expect(error.message).not.toContain(token);
  expect(error.message).not.toMatch(/\n|at .*\.js/);
  expect(error.cause).toBeUndefined();
  expect(counted).toHaveLength(requests);
  return { error, counted };
}

describe('an unusable answer', () => {
  it.each<[string, Reply, RegExp]>([
    ['a fault', { status: 503, body: '<html>Maintenance</html>' }, /answers 503 for the runs of acme\/shop/],
    [
      'a fault that shows our token',
      { status: 500, body: { message: `sent token ${token}` } },
      /answers 500.*…/,
    ],
    [
      'text that is no JSON',
      { body: '{"total_count": 1, "workflow' },
      /unexpected answer.*runs of acme\/shop/,
    ],
    ['nothing', { body: '' }, /it is empty/],
    ['another thing', { body: { hello: 'world' } }, /workflow_runs/],
    [
      'a list in a list, a million deep',
      { body: '['.repeat(1_000_000) + ']'.repeat(1_000_000) },
      /unexpected answer.*nested more than 64 deep/,
    ],
    [
      'more small values than any page has',
      { body: `[${'0,'.repeat(1_000_000)}0]` },
      /unexpected answer.*too many values/,
    ],
    ['a list', { body: [] }, /unexpected answer/],
    [
      'a page of a proxy',
      { headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' },
      /unexpected answer.*it is a page.*`apiUrl`/,
    ],
    ['a broken content type', { headers: { 'content-type': ';;' }, body: 'x' }, /unexpected answer/],
    ['a wrong token', { status: 401, body: { message: 'Bad credentials' } }, /tokenFile.*Bad credentials/],
    [
      'a missing permission',
      { status: 403, body: { message: 'Resource not accessible by personal access token' } },
      /"Actions: read".*`repo`/,
    ],
    ['a broken connection', (response) => response.destroy(), /closed the connection/],
    [
      'half an answer',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"total_count": 0,', () => response.destroy());
      },
      /closed the connection/,
    ],
  ])('%s is unavailable, with what to do', async (_, reply, message) => {
    const { error } = await faultOf(reply);
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(message);
  });

  it('from a gateway is requested again in half the size, and in a quarter', async () => {
    const { error } = await faultOf({ status: 502, body: '<html>Bad gateway</html>' }, {}, 3);
    expect(error.message).toMatch(/answers 502 for the runs of acme\/shop/);
  });

  it.each<[string, Reply]>([
    ['never comes', () => {}],
    [
      'never ends',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
    ],
  ])('%s: is given up in time', async (_, reply) => {
    const { error } = await faultOf(reply, { requestTimeoutMs: 200 });
    expect(error.message).toContain('does not answer within 0.2 s');
  });

  it('is too large to read', async () => {
    const { error } = await faultOf((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const block = Buffer.alloc(1024 * 1024, 0x20);
      const more = () => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', more);
      more();
    });
    expect(error.message).toContain('more than 32 MiB');
  });

  it('of an unknown host', async () => {
    const github = await scripted(() => noRuns);
    const { url } = github;
    await github.close();
    const { api } = await setup(() => noRuns, { apiUrl: url });
    expect((await failure(api.openRuns('acme/shop', never))).message).toMatch(
      /refuses the connection.*apiUrl/,
    );
  });
});

describe('a redirect', () => {
  it('of a renamed repository is followed', async () => {
    const moved = (to: string): Reply => ({ status: 301, headers: { location: `/repositories/42${to}` } });
    const { api, github, counted } = await setup(({ path, query }) => {
      if (path === '/repos/acme/old/actions/runs') return moved(`/actions/runs?${query}`);
      if (path === '/repos/acme/old') return moved('');
      return path === '/repositories/42' ? { body: { id: 42, full_name: 'Acme/New' } } : noRuns;
    });
    expect(await api.openRuns('acme/old', never)).toMatchObject({
      value: [],
      repo: { id: 42, name: 'acme/new' },
    });
    expect(github.asked).toEqual([
      'GET /repos/acme/old/actions/runs?per_page=100',
      'GET /repositories/42/actions/runs?per_page=100',
      'GET /repos/acme/old',
      'GET /repositories/42',
    ]);
    expect(counted).toEqual(['runs ok', 'runs ok', 'repository ok', 'repository ok']);
  });

  it('to another host is not followed: our credentials do not belong there', async () => {
    const elsewhere = await scripted(() => noRuns);
    const { api } = await setup(() => ({
      status: 301,
      headers: { location: `${elsewhere.url}/repos/acme/shop` },
    }));
    const error = await failure(api.openRuns('acme/shop', never));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('credentials do not belong');
    expect(elsewhere.seen).toEqual([]);
  });

  it('in a circle ends', async () => {
    const { api, github } = await setup(() => ({ status: 302, headers: { location: '/again' } }));
    expect((await failure(api.openRuns('acme/shop', never))).message).toContain('circle');
    expect(github.seen).toHaveLength(4);
  });

  it('of a request that changes something is not followed', async () => {
    const { api, github } = await setup(() => ({ status: 307, headers: { location: '/again' } }), {
      auth: { kind: 'app', id: 5, privateKey: appPem },
    });
    await failure(api.redeliver?.({ deliveryId: '1', guid: 'g' }, never));
    expect(github.seen).toHaveLength(1);
  });
});

describe('an address without the REST API', () => {
  it.each<[string, Reply]>([
    [
      'a page',
      { status: 404, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><title>404</title>' },
    ],
    ['nothing', { status: 404, body: '' }],
    ['a login page', { body: '<html>Sign in to GitHub</html>' }],
  ])('that answers with %s: what names `apiUrl` does not prove that anything is gone', async (_, reply) => {
    const app = { auth: { kind: 'app', id: 5, privateKey: appPem } } as const;
    for (const options of [{}, app]) {
      const { api } = await setup(() => reply, options);
      for (const asked of [api.repositories(never), api.openRuns('acme/shop', never)]) {
        const { code, message } = await failure(asked);
        expect(code).toBe('unavailable');
        expect(message).toMatch(/`apiUrl` is the REST API: .*\/api\/v3/);
      }
    }
  });

  it('is named beside other possible causes if it does not look like one', async () => {
    const reply = { status: 404, body: { message: 'Not Found' } };
    const { api, github } = await setup(() => reply);
    expect((await failure(api.repositories(never))).message).toMatch(
      /`owner` and `scope`; and that .*`apiUrl`/,
    );
    const usual = await setup(() => reply, { apiUrl: `${github.url}/api/v3` });
    expect((await failure(usual.api.repositories(never))).message).not.toContain('apiUrl');
  });
});

describe('a caller that gives up', () => {
  it('ends the request under way, and those that wait for their turn', async () => {
    const { api, github, counted } = await setup(() => () => abort.abort());
    const abort = new AbortController();
    const [first, second] = await Promise.all([
      failure(api.openRuns('acme/shop', abort.signal)),
      failure(api.openRuns('acme/web', abort.signal)),
    ]);
    expect([first.code, second.code]).toEqual(['unavailable', 'unavailable']);
    expect(first.message).toContain('cancelled');
    expect(github.seen).toHaveLength(1);
    expect(counted).toEqual(['runs error']);
  });

  it('leaves the others their turn', async () => {
    const { api } = await setup(({ path }) => (path.includes('hang') ? () => abort.abort() : noRuns));
    const abort = new AbortController();
    const [gone, answered] = await Promise.all([
      failure(api.openRuns('acme/hang', abort.signal)),
      api.openRuns('acme/shop', never),
    ]);
    expect(gone.message).toContain('cancelled');
    expect(answered.value).toEqual([]);
  });
});

describe('a request', () => {
  it('goes out alone, with our name and the version of the API', async () => {
    let open = 0;
    let most = 0;
    const { api, github } = await setup(() => (response) => {
      open += 1;
      most = Math.max(most, open);
      // Long enough for the others to arrive, if they were sent.
      setTimeout(() => {
        open -= 1;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(noRuns.body));
      }, 50);
    });
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => api.openRuns(`acme/${name}`, never)));
    expect(most).toBe(1);
    for (const { headers } of github.seen) {
      expect(headers['user-agent']).toBe('backlog-scaler');
      expect(headers['x-github-api-version']).toBe('2022-11-28');
      expect(headers.authorization).toBe(`token ${token}`);
    }
  });

  it.each(['/api/v3', '/api/v3/'])('goes below the base of a GitHub Enterprise Server (%s)', async (base) => {
    const github = await scripted(() => noRuns);
    const { api } = await setup(() => noRuns, { apiUrl: `${github.url}${base}` });
    await api.openRuns('acme/shop', never);
    expect(github.asked).toEqual(['GET /api/v3/repos/acme/shop/actions/runs?per_page=100']);
  });
});
