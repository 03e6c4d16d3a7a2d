import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AdminDeps, AdminServer, type AdminTimes } from '../../../src/admin/server.ts';
import { listOf, manyStatuses, statusWith } from '../../support/statuses.ts';

const servers: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(given: Partial<AdminDeps> = {}, times: Partial<AdminTimes> = {}): Promise<string> {
  const deps: AdminDeps = {
    exposition: async () => '# the registry\n',
    triggers: listOf([statusWith()]),
    readiness: () => ({ ready: true, checks: { serving: true } }),
    token: () => undefined,
    maxConnections: 128,
    connections: () => [],
    details: async () => undefined,
    version: '0.0.0',
    ...given,
  };
  const server = new AdminServer(deps, times);
  servers.push(server);
  return `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
}

describe('AdminServer', () => {
  it('serves the registry’s metrics and then the triggers’', async () => {
    const response = await fetch(`${await start()}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toMatch(
      /^# the registry\n# HELP backlog_scaler_trigger_value .*\n(.*\n)*backlog_scaler_trigger_up\{.*\} 1\n$/,
    );
  });

  it('is alive whatever else is wrong, and ready when it is', async () => {
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

  it('says where to look if a path does not exist', async () => {
    const response = await fetch(`${await start()}/nowhere`);
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining('/metrics, /api/triggers'),
    ]);
  });

  it('requires the present token, but not for probes', async () => {
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

  it('sends a fifth reader away, and has room again when readers are gone', async () => {
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

  it('cuts a slow reader for the next one', async () => {
    const url = await start({ exposition: () => new Promise(() => {}) }, { pageMs: 0 });
    const readers = Array.from({ length: 4 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
    let closed = 0;
    for (const reader of readers) {
      reader.once('close', () => {
        closed += 1;
      });
      reader.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    }
    await expect.poll(async () => (await fetch(`${url}/api/triggers`)).status).toBe(200);
    await expect.poll(() => closed).toBeGreaterThan(0);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    for (const reader of readers) reader.destroy();
  });

  it.each(['/metrics', '/api/triggers?limit=1000'])('cuts a reader that does not read %s', async (path) => {
    // More than the socket buffers of both sides hold.
    const triggers = listOf(manyStatuses(1000).map((one) => ({ ...one, error: 'x'.repeat(20_000) })));
    const exposition = async () => '# the registry\n'.repeat(1_000_000);
    const url = await start({ triggers, exposition }, { answerMs: 300 });
    const reader = connect(Number(new URL(url).port), '127.0.0.1');
    reader.on('error', () => {});
    reader.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await new Promise((resolve) => reader.once('readable', resolve));
    await expect
      .poll(() => servers.map(({ openConnections }) => openConnections), { timeout: 5000 })
      .toEqual([0]);
    reader.destroy();
  });

  it('answers probes while its port is full of silent sockets', async () => {
    const url = await start({ maxConnections: 8 });
    const port = Number(new URL(url).port);
    const idle = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    for (let probe = 0; probe < 20; probe += 1) {
      // The kubelet opens a connection for each probe.
      const { status } = await fetch(`${url}/livez`, { headers: { connection: 'close' } });
      expect(status).toBe(200);
    }
    expect(servers.map(({ openConnections }) => openConnections <= 8)).toEqual([true]);
    for (const socket of idle) socket.destroy();
  });

  it('names the address that is taken', async () => {
    const { port } = new URL(await start());
    const second = new AdminServer({
      exposition: async () => '',
      triggers: listOf([]),
      readiness: () => ({ ready: true, checks: {} }),
      token: () => undefined,
      maxConnections: 128,
      connections: () => [],
      details: async () => undefined,
      version: '0.0.0',
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
