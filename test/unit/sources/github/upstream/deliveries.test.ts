import { describe, expect, it } from 'vitest';
import { appGitHub } from './app-github.ts';
import type { Script } from './scripted-github.ts';
import { appPem, failure, never, setup, startMs } from './setup.ts';

function delivery(
  id: number | string,
  guid: string,
  code: number | null,
  ageMs: number,
  more: object = {},
): object {
  const delivered_at = new Date(startMs - ageMs).toISOString();
  return { id, guid, delivered_at, status_code: code, event: 'workflow_job', installation_id: 11, ...more };
}

async function setupApp(rest: Script) {
  const app = appGitHub(rest);
  return setup((seen) => app.script(seen), {
    auth: { kind: 'app', id: 5, privateKey: appPem, installationId: 11 },
  });
}

describe('deliveries that failed', () => {
  it('are those that never succeeded, the newest of each event', async () => {
    const { api, github } = await setupApp(() => ({
      body: [
        delivery(9, 'again', 502, 1),
        delivery(8, 'healed', 200, 2),
        delivery(7, 'silent', 0, 3),
        delivery(6, 'nothing', null, 4),
        delivery(5, 'healed', 500, 5),
        delivery(4, 'again', 404, 6),
        delivery(3, 'run', 500, 7, { event: 'workflow_run' }),
        delivery(2, 'push', 500, 8, { event: 'push' }),
        delivery(1, 'elsewhere', 500, 9, { installation_id: 12 }),
      ],
    }));
    expect(await api.failedDeliveries?.(startMs - 1_000, never)).toEqual([
      { deliveryId: '9', guid: 'again' },
      { deliveryId: '7', guid: 'silent' },
      { deliveryId: '6', guid: 'nothing' },
      { deliveryId: '3', guid: 'run' },
    ]);
    expect(github.seen.at(-1)?.headers.authorization, 'the App’s JWT').toMatch(/^bearer eyJ/);
  });

  it('are read by cursor, no further back than requested', async () => {
    const { api, github } = await setupApp(({ query }) => {
      const page = Number(query.get('cursor')?.slice(1) ?? 0);
      const link = `<https://api.github.com/app/hook/deliveries?per_page=100&cursor=v${page + 1}>; rel="next"`;
      return { headers: { link }, body: [delivery(100 - page, `g${page}`, 500, page * 1_000)] };
    });
    const failed = await api.failedDeliveries?.(startMs - 2_500, never);
    expect(failed?.map(({ guid }) => guid)).toEqual(['g0', 'g1', 'g2']);
    expect(github.asked.at(-1)).toBe('GET /app/hook/deliveries?per_page=100&cursor=v3');
  });

  it('are kept by their ETag only for the first page: others begin at a delivery, and would only push out useful answers', async () => {
    const { api, github } = await setupApp(({ query }) => {
      const page = Number(query.get('cursor') ?? 0);
      const link = `<http://x/?cursor=${page + 1}>; rel="next"`;
      return {
        headers: { ...(page < 2 ? { link } : {}), etag: `W/"${page}"` },
        body: [delivery(page + 1, `g${page}`, 500, 1)],
      };
    });
    await api.failedDeliveries?.(0, never);
    await api.failedDeliveries?.(0, never);
    const etags = github.seen.map(({ headers }) => headers['if-none-match']);
    expect(etags).toEqual([undefined, undefined, undefined, 'W/"0"', undefined, undefined]);
  });

  it('are read for so many pages a call', async () => {
    const { api, github } = await setupApp(({ query }) => {
      const page = Number(query.get('cursor') ?? 0);
      const link = `<http://x/?cursor=${page + 1}>; rel="next"`;
      return { headers: { link }, body: [delivery(page + 1, `g${page}`, 500, 1)] };
    });
    expect(await api.failedDeliveries?.(0, never)).toHaveLength(20);
    expect(github.asked).toHaveLength(20);
  });

  it('keep the 64 bits of their number, and are delivered again by it (octokit/request.js#797)', async () => {
    const body = JSON.stringify([delivery('@', 'long', 500, 1)]).replace('"@"', '3804004623172239366');
    const { api, github, counted } = await setupApp(({ method }) =>
      method === 'POST' ? { status: 202 } : { body },
    );
    const [failed] = (await api.failedDeliveries?.(0, never)) ?? [];
    expect(failed?.deliveryId).toBe('3804004623172239366');
    if (failed !== undefined) await api.redeliver?.(failed, never);
    expect(github.asked.at(-1)).toBe('POST /app/hook/deliveries/3804004623172239366/attempts');
    expect(counted.at(-1)).toBe('redeliver ok');
  });

  it('are not for a token', async () => {
    const { api } = await setup(() => ({}));
    expect(api.failedDeliveries).toBeUndefined();
    expect(api.redeliver).toBeUndefined();
  });

  it('of an App whose key is refused are unknown, with what to check', async () => {
    const { api } = await setup(() => ({ status: 401, body: { message: 'Integration must exist' } }), {
      auth: { kind: 'app', id: 5, privateKey: appPem, installationId: 11 },
    });
    expect((await failure(api.failedDeliveries?.(0, never))).message).toMatch(
      /app\.id.*Integration must exist/,
    );
  });
});
