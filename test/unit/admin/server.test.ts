import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AdminDeps, AdminServer } from '../../../src/admin/server.ts';
import { listOf, manyStatuses, statusWith } from '../../support/statuses.ts';

const servers: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(given: Partial<AdminDeps> = {}): Promise<string> {
  const server = new AdminServer({
    exposition: async () => '# the registry\n',
    triggers: listOf([statusWith()]),
    readiness: () => ({ ready: true, checks: { serving: true } }),
    token: () => undefined,
    maxConnections: 128,
    ...given,
  });
  servers.push(server);
  return `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
}

describe('AdminServer', () => {
  it('gives the registry and then the triggers as metrics', async () => {
    const response = await fetch(`${await start()}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toMatch(
      /^# the registry\n# HELP backlog_scaler_trigger_value .*\n(.*\n)*backlog_scaler_trigger_up\{.*\} 1\n$/,
    );
  });

  it('is alive whatever else is the matter, and ready when it is', async () => {
    let ready = false;
    const url = await start({ readiness: () => ({ ready, checks: { serving: true, synced: ready } }) });
    expect(await (await fetch(`${url}/livez`)).text()).toBe('ok');
    const before = await fetch(`${url}/readyz`);
    expect([before.status, await before.json()]).toEqual([
      503,
      { ready: false, checks: { serving: true, synced: false } },
    ]);
    ready = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('lists triggers by the page', async () => {
    const url = await start({ triggers: listOf(manyStatuses(30)) });
    const page = await (await fetch(`${url}/api/triggers?limit=20`)).json();
    expect(page).toMatchObject({ triggers: { length: 20 }, nextCursor: expect.any(String) });
    const refused = await fetch(`${url}/api/triggers?limit=x`);
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: 'limit must be a whole number from 1 to 1000' },
    ]);
  });

  it('says where to look when nothing is there', async () => {
    const response = await fetch(`${await start()}/`);
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining('/metrics, /api/triggers'),
    ]);
  });

  it('asks for the token of the moment, but not for probes', async () => {
    let token = 'first';
    const url = await start({ token: () => token });
    const get = async (path: string, authorization?: string) =>
      (await fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await get('/livez')).toBe(200);
    expect(await get('/readyz')).toBe(200);
    for (const path of ['/metrics', '/api/triggers']) {
      expect(await get(path)).toBe(401);
      expect(await get(path, 'Bearer wrong')).toBe(401);
      expect(await get(path, 'Basic first')).toBe(401);
      expect(await get(path, 'Bearer first')).toBe(200);
    }
    token = 'second';
    expect(await get('/metrics', 'Bearer first')).toBe(401);
    expect(await get('/metrics', 'bearer second')).toBe(200);
  });

  it('asks a fifth reader to come back, and has room again when readers have gone', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const url = await start({ exposition: () => held.then(() => '') });
    const { port } = new URL(url);
    const readers = Array.from({ length: 4 }, () => connect(Number(port), '127.0.0.1'));
    for (const reader of readers) reader.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(async () => (await fetch(`${url}/api/triggers`)).status).toBe(503);
    for (const reader of readers) reader.destroy();
    await expect.poll(async () => (await fetch(`${url}/api/triggers`)).status).toBe(200);
    release();
  });

  it('names the address that is taken', async () => {
    const { port } = new URL(await start());
    const second = new AdminServer({
      exposition: async () => '',
      triggers: listOf([]),
      readiness: () => ({ ready: true, checks: {} }),
      token: () => undefined,
      maxConnections: 128,
    });
    await expect(second.listen({ host: '127.0.0.1', port: Number(port) })).rejects.toThrow(
      `admin: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
    );
    await second.close();
  });

  it('closes while a reader does not read', async () => {
    const url = await start({ triggers: listOf(manyStatuses(20_000)) });
    const reader = connect(Number(new URL(url).port), '127.0.0.1');
    reader.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => reader.once('readable', resolve));
    await servers.pop()?.close();
    reader.destroy();
  });
});
