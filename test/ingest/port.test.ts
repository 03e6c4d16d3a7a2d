import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { IngestAddress } from '../../src/ingest/port.ts';
import { IngestServer } from '../../src/ingest/server.ts';
import { webhookHeaders } from '../../src/sources/github/rules/webhook.ts';
import type { InboundEvent } from '../../src/sources/inbound.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { ingestLimits, post, receiver, senders, sign, startIngest } from '../support/ingest.ts';

const acme = receiver('acme', ['s3cret']);
/** Of senders who mean no good. Other systems have no second address of their own. */
const loudAddress = process.platform === 'linux' ? '127.0.0.66' : '127.0.0.1';

/** A server for webhooks, not yet listening. */
function closed(address: IngestAddress): IngestServer {
  const server = new IngestServer({
    address,
    events: { append: async () => {} },
    requests: { inc() {} },
    hint: () => false,
    webhooks: [{ kind: 'github', headers: webhookHeaders }],
    log: silentLogger,
  });
  onTestFinished(() => server.drain(0));
  server.use(senders({ receivers: [acme] }), ingestLimits);
  return server;
}

it('is named if it is taken, and can be opened later', async () => {
  const { port, server } = await startIngest([acme]);
  const address = { host: '127.0.0.1', port, maxConnections: 16 };
  const second = closed(address);
  await expect(second.listen(address)).rejects.toThrow(
    `ingest: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
  );
  await server.drain(0);
  expect(await second.listen(address)).toBe(port);
  expect((await post(port, { body: '{}', secret: 's3cret' })).status).toBe(403);
});

it.runIf(process.platform === 'linux')('is not shared with somebody who would share it', async () => {
  const other = createServer().listen({ host: '127.0.0.1', port: 0, reusePort: true });
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const address = { host: '127.0.0.1', port, maxConnections: 16 };
  await expect(closed(address).listen(address)).rejects.toThrow(
    `ingest: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
  );
});

it.runIf(process.platform === 'linux')(
  'lets nobody wait behind a thousand requests of another address',
  async () => {
    const { port, server } = await startIngest([acme]);
    const [loud, quiet] = [loudAddress, '127.0.0.1'];
    const answered: string[] = [];
    const open = (localAddress: string): Promise<Socket> => {
      const socket = connect({ host: '127.0.0.1', port, localAddress });
      onTestFinished(() => void socket.destroy());
      socket.once('data', () => answered.push(localAddress));
      return once(socket, 'connect').then(() => socket);
    };
    const all = await Promise.all([...Array.from({ length: 1000 }, () => open(loud)), open(quiet)]);
    await expect.poll(() => server.openConnections).toBe(1001);
    for (const socket of all) socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => answered.length).toBe(1001);
    expect(answered.indexOf(quiet)).toBeLessThan(500);
  },
);

const signedWebhook = (() => {
  const body = '{"owner":"acme"}';
  const head = {
    host: 'x',
    'content-type': 'application/json',
    'x-github-event': 'workflow_job',
    'x-github-delivery': '1',
    'x-hub-signature-256': sign(body, 's3cret'),
    'content-length': body.length,
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /ingest/github HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
})();

/** Sends a signed webhook on each of so many connections at once. The answers' statuses come later. */
async function sendAtOnce(
  { port, server }: { port: number; server: IngestServer },
  count: number,
  sent: (socket: Socket) => void = () => {},
) {
  const open = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const sockets = await Promise.all(Array.from({ length: count }, open));
  await expect.poll(() => server.openConnections).toBe(count);
  const answers = sockets.map(async (socket) => {
    const [first] = await Promise.race([once(socket, 'data'), once(socket, 'end')]);
    return String(first ?? '').split(' ')[1];
  });
  for (const socket of sockets) {
    socket.write(signedWebhook);
    sent(socket);
  }
  return { statuses: Promise.all(answers) };
}

it('answers what has come before it closes', async () => {
  const ingest = await startIngest([acme]);
  const { statuses } = await sendAtOnce(ingest, 300);
  // Some are taken, the others wait for their turn.
  await expect.poll(() => ingest.kept.length, { interval: 1 }).toBeGreaterThan(0);
  await ingest.server.drain(5000);
  expect(new Set(await statuses)).toEqual(new Set(['202']));
});

it('reads what kept connections have sent before it closes', async () => {
  const ingest = await startIngest([acme]);
  const socket = connect({ host: '127.0.0.1', port: ingest.port });
  onTestFinished(() => void socket.destroy());
  socket.write(signedWebhook);
  await once(socket, 'data');
  const answer = text(socket);
  socket.write(signedWebhook);
  await ingest.server.drain(5000);
  expect(await answer).toContain('HTTP/1.1 202');
  expect(ingest.kept).toHaveLength(2);
});

it('serves senders that close their side once they have sent', async () => {
  const ingest = await startIngest([acme]);
  const { statuses } = await sendAtOnce(ingest, 50, (socket) => socket.end());
  expect(new Set(await statuses)).toEqual(new Set(['202']));
  expect(ingest.kept).toHaveLength(50);
});

it('lets nobody wait behind thousands of requests that come in one piece', async () => {
  const { port, server } = await startIngest([acme]);
  const request = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
  let answers = 0;
  const loud = Array.from({ length: 20 }, () => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: loudAddress }).on('error', () => {});
    onTestFinished(() => void socket.destroy());
    socket.on('data', (data) => {
      answers += String(data).split('HTTP/1.1 200').length - 1;
    });
    return socket;
  });
  await expect.poll(() => server.openConnections).toBe(20);
  for (const socket of loud) socket.write(request.repeat(1000));
  expect((await post(port, { body: '{"owner":"acme"}', secret: 's3cret' })).status).toBe(202);
  expect(answers).toBeLessThan(10_000);
  await expect.poll(() => answers).toBe(20_000);
});

it.each([
  ['a connection has had its thousand', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', 1010, '200', 1000],
  ['they expect something', 'GET / HTTP/1.1\r\nhost: x\r\nexpect: x\r\n\r\n', 1010, '200', 1000],
  ['they name no host', 'GET / HTTP/1.1\r\n\r\n', 1, '400', 1],
])('answers requests itself, not as Node does, where %s', async (_, request, count, status, answered) => {
  const { port } = await startIngest([acme]);
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  socket.write(request.repeat(count));
  const answers = (await text(socket)).split('HTTP/1.1 ').slice(1);
  expect(answers.filter((answer) => answer.startsWith(status))).toHaveLength(answered);
  expect(answers).toHaveLength(answered);
  expect(answers.at(-1)).toMatch(/^connection: close/im);
});

it('serves nothing behind a request for another protocol: Node drops a part of that', async () => {
  const { port } = await startIngest([acme]);
  // A parser that begins in the middle of it finds nothing but a request.
  const body = `${'\r\n'.repeat(100)}GET / HTTP/1.1\r\nhost: x\r\n\r\n`;
  const next = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  const upgrade = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n';
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  socket.write(`${upgrade}${next}${body}`);
  expect((await text(socket)).split('HTTP/1.1 ').slice(1)).toEqual([expect.stringMatching(/^200/)]);
});

it('drains at once after connections that Node has cut with answers still waiting', async () => {
  const { port, server } = await startIngest([acme]);
  const get = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
  const socket = connect({ host: '127.0.0.1', port }).on('error', () => {});
  socket.write(`${get}${get}CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n`);
  await once(socket.resume(), 'close');
  await server.drain(600_000);
});

it('reads no further than some requests whose answers a sender has not waited for', async () => {
  let keep = () => {};
  const kept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  let asked = 0;
  const append = (): Promise<void> => {
    asked += 1;
    return kept;
  };
  const { port, server } = await startIngest([acme], { events: { append } });
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.end(signedWebhook.repeat(200));
  await expect.poll(() => asked).toBeGreaterThanOrEqual(16);
  // All of the piece in which the sixteenth came, and nothing more.
  await setTimeout(100);
  expect(asked).toBeLessThan(64);
  keep();
  const answers = await text(socket);
  expect(answers.split('HTTP/1.1 202').length - 1).toBe(200);
  expect(server.openConnections).toBe(0);
});

it('closes also with connections that have never asked for anything', async () => {
  const { port, server } = await startIngest([acme]);
  const closed = Array.from({ length: 500 }, () => {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {});
    return new Promise((resolve) => socket.resume().once('close', resolve));
  });
  await expect.poll(() => server.openConnections, { interval: 1 }).toBeGreaterThan(100);
  await server.drain(0);
  await Promise.all(closed);
  await expect.poll(() => server.openConnections).toBe(0);
});

it('accepts webhooks of another kind of source at its path, by its headers', async () => {
  const headers = {
    signature: 'X-Forge-Sign',
    event: 'X-Forge-Event',
    delivery: 'X-Forge-Id',
    hook: 'X-Forge-Hook',
  };
  const kept: InboundEvent[] = [];
  const server = new IngestServer({
    address: { host: '127.0.0.1', port: 0, maxConnections: 16 },
    events: { append: async (event) => void kept.push(event) },
    requests: { inc() {} },
    hint: () => false,
    webhooks: [
      { kind: 'github', headers: webhookHeaders },
      { kind: 'forge', headers },
    ],
    log: silentLogger,
  });
  onTestFinished(() => server.drain(0));
  server.use(senders({ receivers: [receiver('acme', ['s3cret'], { kind: 'forge' })] }), ingestLimits);
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  const body = '{"owner":"acme"}';
  const signed = { 'x-forge-sign': sign(body, 's3cret'), 'x-forge-event': 'workflow_job', 'x-forge-id': '7' };
  const path = '/ingest/forge/acme';
  expect((await post(port, { path, body, headers: signed })).status).toBe(202);
  expect(kept).toMatchObject([{ connection: 'acme', type: 'workflow_job', id: '7' }]);
  // Headers of one kind mean nothing to another, and a secret is valid only for its own kind.
  const unsigned = await post(port, { path, body, secret: 's3cret' });
  expect(unsigned).toMatchObject({
    status: 401,
    body: { error: expect.stringContaining('needs X-Forge-Sign') },
  });
  expect((await post(port, { path: '/ingest/github/acme', body, secret: 's3cret' })).status).toBe(401);
  expect(kept).toHaveLength(1);
});
