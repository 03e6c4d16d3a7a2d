import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { status as Code, credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { health } from '../support/health.ts';
import { frame, openCall, rawConnection } from '../support/raw-rpc.ts';
import { ref, TestClient } from '../support/rpc-client.ts';

const mebibyte = 1024 * 1024;
const kafka = { source: 'kafka', consumerGroup: 'g', topic: 't' };
const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

/** `serve` as a process of its own, without a broker. */
async function serve(limits = '') {
  const folder = await ConfigFolder.make();
  const server = '{ host: 127.0.0.1, port: 0 }';
  const orders = 'connections: { orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"] } }';
  await folder.write('config.yaml', `grpc: ${server}\nadmin: ${server}\n${limits}\n${orders}\n`);
  const command = new Command(['serve', '--config', folder.file]);
  onTestFinished(async () => {
    command.signal('SIGKILL');
    await command.exited;
    await folder.remove();
  });
  const [grpc, admin] = await Promise.all([command.port('grpc'), command.port('admin')]);
  await command.line(({ msg }) => msg === 'ready');
  const client = new TestClient(`127.0.0.1:${grpc}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return { command, grpc, admin, client, pid: command.pid ?? 0 };
}

function rssBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

function open(port: number, text = ''): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function statusOf(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}

/** Checks what must work whatever one client does. */
async function expectServed({ grpc, admin, client }: Awaited<ReturnType<typeof serve>>): Promise<void> {
  expect([await statusOf(admin, '/livez'), await statusOf(admin, '/readyz')]).toEqual([200, 200]);
  expect(await health(grpc)).toEqual({ status: 'SERVING' });
  expect((await client.getMetricSpec(ref('w', kafka))).metricSpecs).toHaveLength(1);
}

describe('a pod that reaches the ports and does not read', { timeout: 120_000 }, () => {
  it('cannot make memory grow by reflection streams', async () => {
    const scaler = await serve();
    await expectServed(scaler);
    const before = rssBytes(scaler.pid);
    const requests = Buffer.concat(Array.from({ length: 100_000 }, () => frame(Buffer.from('3a00', 'hex'))));
    const refused: unknown[] = [];
    for (let connection = 0; connection < 4; connection += 1) {
      const session = await rawConnection(scaler.grpc, 0);
      for (let stream = 0; stream < 8; stream += 1) {
        const call = openCall(session, reflection);
        void call.status.then((status) => refused.push(status));
        for (let more = 0; more < 5; more += 1) call.stream.write(requests);
      }
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => session.ping(resolve));
    }
    // The most streams, 8, are held. The client wanted 32, with 112 MB of requests.
    await expect.poll(() => refused).toEqual(Array(24).fill(Code.RESOURCE_EXHAUSTED));
    expect(rssBytes(scaler.pid) - before).toBeLessThan(64 * mebibyte);
    await expectServed(scaler);
  });

  it('cannot make memory grow by calls that it does not finish, in whatever parts', async () => {
    const scaler = await serve();
    await expectServed(scaler);
    const before = rssBytes(scaler.pid);
    const head = frame(Buffer.alloc(60_001)).subarray(0, 5);
    const session = await rawConnection(scaler.grpc);
    const streams = Array.from({ length: 4_000 }, (_, call) =>
      openCall(session, call % 2 === 0 ? 'IsActive' : 'StreamIsActive').stream.on('error', () => {}),
    );
    for (const stream of streams) stream.write(Buffer.concat([head, Buffer.alloc(60_000)]));
    // Each call is cut, or the scaler has read what was sent of it.
    const isSent = ({ closed, writableLength }: (typeof streams)[number]) => closed || writableLength === 0;
    await expect.poll(() => streams.every(isSent), { timeout: 60_000 }).toBe(true);
    expect(rssBytes(scaler.pid) - before).toBeLessThan(160 * mebibyte);
    await expectServed(scaler);
  });

  it('cannot use up descriptors or block probes with 1,600 sockets at the admin port', async () => {
    const scaler = await serve();
    for (let opened = 0; opened < 1600; opened += 1) {
      open(scaler.admin);
      if (opened % 200 === 0) await expectServed(scaler);
    }
    await expectServed(scaler);
    expect(readdirSync(`/proc/${scaler.pid}/fd`).length).toBeLessThan(256);
  });

  it('cannot block Prometheus or probes with pages that it does not read', async () => {
    const most = 8000;
    const scaler = await serve(
      `limits: { triggers: ${most}, triggersPerNamespace: ${most}, metadataBytesPerNamespace: 33554432 }`,
    );
    // Names of the greatest length, for a large page.
    const streams = Array.from({ length: most - 100 }, (_, index) => {
      const name = `w-${index}-`.padEnd(253, 'x');
      return scaler.client.raw.StreamIsActive(ref(name, kafka)).on('error', () => {});
    });
    const page = async () => (await fetch(`http://127.0.0.1:${scaler.admin}/metrics`)).text();
    const triggers = async () => (await page()).match(/^backlog_scaler_trigger_up/gm)?.length;
    await expect.poll(triggers, { timeout: 30_000, interval: 500 }).toBe(streams.length);
    // The buffers of a connection hold some 10 MB. Two pages are larger.
    expect((await page()).length).toBeGreaterThan(5 * mebibyte);
    for (let reader = 0; reader < 8; reader += 1) {
      open(scaler.admin, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2)).pause();
    }
    await expectServed(scaler);
    await expect.poll(() => statusOf(scaler.admin, '/metrics'), { timeout: 20_000 }).toBe(200);
    await expectServed(scaler);
    for (const stream of streams) stream.cancel();
  });
});

describe('a name', () => {
  it('with control characters reaches neither the log nor the metrics unchanged', async () => {
    const { command, admin, client } = await serve();
    const name = 'a\u0000b\r\u001b[31mc\u009bd\u202ee\u2066f';
    await client.getMetricSpec(ref(name, { source: 'nothing' })).catch(() => {});
    const stream = client.streamIsActive(ref(name, kafka));
    await command.line(({ level }) => level === 'warn');
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    const obeyed = /[^\P{Cc}\n]|[\p{Bidi_C}\u2028\u2029]/u;
    expect(command.stdout).not.toMatch(obeyed);
    expect(metrics).not.toMatch(obeyed);
    stream.cancel();
  });
});
