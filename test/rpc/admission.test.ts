import { once } from 'node:events';
import { type ClientHttp2Session, connect as http2Connect } from 'node:http2';
import { connect } from 'node:net';
import { status as Code } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { ReflectionV1Implementation } from '@grpc/reflection/build/src/implementations/reflection-v1.js';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { health } from '../support/health.ts';
import { frame, openCall, rawCall, rawConnection } from '../support/raw-rpc.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { rpcCount, startServer } from '../support/rpc.ts';
import { ref } from '../support/rpc-client.ts';

const reference = Buffer.from('0a0161120473686f701a0e0a06736f75726365120466616b65', 'hex');
const watch = '/grpc.health.v1.Health/Watch';
const reflection = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);
/** ServerReflectionRequest { list_services: "" } */
const listServices = Buffer.from('3a00', 'hex');

afterEach(() => void vi.restoreAllMocks());

function triggers(): FakeTriggers {
  const made = new FakeTriggers();
  made.known('a', 0);
  return made;
}

/** Resolves when the server has seen everything sent before. */
function seen(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => session.ping(() => resolve()));
}

describe('streams', () => {
  it.each([
    ['in all', { maxStreams: 5 }, 'grpc.maxStreams (5)'],
    ['on one connection', { maxStreamsPerConnection: 5 }, 'grpc.maxStreamsPerConnection (5)'],
  ])(
    'beyond the bound %s are RESOURCE_EXHAUSTED, and let in when others have gone',
    async (_, bound, said) => {
      const log = recordingLogger();
      const { client, server, metrics } = await startServer(triggers(), { ...bound, log });
      const streams = Array.from({ length: 4 }, () => client.streamIsActive(ref('a')));
      streams.push(client.streamIsActive(ref('a')));
      const spec = client.streamMetricSpec(ref('a'));
      expect(await spec.ended).toMatchObject({
        code: Code.RESOURCE_EXHAUSTED,
        details: expect.stringContaining(said),
      });
      expect(await rpcCount(metrics, 'StreamMetricSpec', 'RESOURCE_EXHAUSTED')).toBe(1);
      expect(log.messages('warn')).toHaveLength(1);
      // Unary calls are not affected.
      expect(await client.isActive(ref('a'))).toEqual({ result: false });
      streams[0]?.cancel();
      await vi.waitFor(() => expect(server.openStreams).toBe(4));
      await client.streamMetricSpec(ref('a')).next();
    },
  );

  it('of one connection leave room for another’s', async () => {
    const { client, connect: another } = await startServer(triggers(), { maxStreamsPerConnection: 1 });
    await client.streamIsActive(ref('a')).next();
    expect((await client.streamIsActive(ref('a')).ended).code).toBe(Code.RESOURCE_EXHAUSTED);
    await another().streamIsActive(ref('a')).next();
  });

  it.each([
    ['health watches', watch, 10],
    ...reflection.map((path): [string, string, number] => ['reflection', path, 4]),
  ])('of %s (%s) are limited to %i on a connection', async (_, path, most) => {
    const { port, server } = await startServer(triggers());
    const session = await rawConnection(port);
    const calls = Array.from({ length: most }, () => openCall(session, path));
    await vi.waitFor(() => expect(server.openCalls).toBe(most));
    expect(await openCall(session, path).status).toBe(Code.RESOURCE_EXHAUSTED);
    for (const { stream } of calls) stream.close(8);
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
  });

  it('of reflection are limited to 8 in all', async () => {
    const { port, server } = await startServer(triggers());
    for (let connection = 0; connection < 2; connection += 1) {
      const session = await rawConnection(port);
      for (let call = 0; call < 4; call += 1) openCall(session, reflection[call % 2] ?? '');
    }
    await vi.waitFor(() => expect(server.openCalls).toBe(8));
    expect(await openCall(await rawConnection(port), reflection[0] ?? '').status).toBe(
      Code.RESOURCE_EXHAUSTED,
    );
  });
});

describe('a client that does not read', () => {
  it.each(reflection)('is not read from either: %s', async (path) => {
    const answer = vi.spyOn(ReflectionV1Implementation.prototype, 'handleServerReflectionRequest');
    const { port, server } = await startServer(triggers());
    const session = await rawConnection(port, 0);
    const { stream } = openCall(session, path);
    stream.write(Buffer.concat(Array.from({ length: 50_000 }, () => frame(listServices))));
    await vi.waitFor(() => expect(server.openCalls).toBe(1));
    for (let turn = 0; turn < 50; turn += 1) await seen(session);
    // The requests that HTTP/2 has let through wait unread. Only this many were parsed.
    expect(answer).toHaveBeenCalled();
    expect(answer.mock.calls.length).toBeLessThanOrEqual(3);
    stream.close(8);
  });

  it('gets an answer for each request when it reads', async () => {
    const { port } = await startServer(triggers());
    const session = await rawConnection(port);
    const call = openCall(session, reflection[0] ?? '');
    for (let request = 0; request < 100; request += 1) call.stream.write(frame(listServices));
    call.stream.end();
    expect(await call.status).toBe(Code.OK);
    expect(call.messages()).toHaveLength(100);
  });

  it('loses its unary call when its time is up', async () => {
    const { port, server } = await startServer(triggers(), { times: { callMs: 100 } });
    const session = await rawConnection(port, 0);
    const { stream } = rawCall(session, 'IsActive', reference);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(8);
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
  });

  it('has at most one message of a watch waiting', async () => {
    const { port, server } = await startServer(triggers());
    const session = await rawConnection(port, 0);
    const call = rawCall(session, watch, Buffer.alloc(0));
    await vi.waitFor(() => expect(server.openCalls).toBe(1));
    for (let change = 0; change < 1000; change += 1) server.setServing(change % 2 === 1);
    session.settings({ initialWindowSize: 65_535 });
    await vi.waitFor(() => expect(call.messages()).toHaveLength(2));
    await seen(session);
    expect(call.messages().map((message) => message.toString('hex'))).toEqual(['0801', '0801']);
    call.stream.close(8);
  });
});

describe('calls', () => {
  it('beyond the bound: the new one is RESOURCE_EXHAUSTED while the oldest may still wait', async () => {
    const fake = triggers();
    const { client, metrics } = await startServer(fake, { maxCalls: 2 });
    const waiting = [client.isActive(ref('cold')), client.isActive(ref('cold'))];
    await vi.waitFor(() => expect(fake.waiters).toBe(2));
    await expect(client.isActive(ref('a'))).rejects.toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('grpc.maxCalls (2)'),
    });
    expect(await rpcCount(metrics, 'IsActive', 'RESOURCE_EXHAUSTED')).toBe(1);
    fake.known('cold', 1);
    expect(await Promise.all(waiting)).toEqual([{ result: true }, { result: true }]);
    expect(await client.isActive(ref('a'))).toEqual({ result: false });
  });

  it('beyond the bound: the oldest goes once its time is up', async () => {
    const { port, client, server } = await startServer(triggers(), {
      maxCalls: 2,
      times: { patienceMs: 0 },
    });
    const session = await rawConnection(port, 0);
    const unread = [rawCall(session, 'IsActive', reference), rawCall(session, 'IsActive', reference)];
    await vi.waitFor(() => expect(server.openCalls).toBe(2));
    expect(await client.isActive(ref('a'))).toEqual({ result: false });
    await vi.waitFor(() => expect(unread.map(({ stream }) => stream.closed)).toContain(true));
  });

  it.each([
    ['IsActive', 100],
    ['StreamIsActive', 100],
    [watch, 10],
  ])('that are never sent whole end in time: %s', async (method, count) => {
    const { port, server, client } = await startServer(triggers(), { times: { callMs: 100 } });
    const session = await rawConnection(port);
    for (let call = 0; call < count; call += 1) openCall(session, method);
    await vi.waitFor(() => expect(server.openCalls).toBe(count));
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
    expect(await client.isActive(ref('a'))).toEqual({ result: false });
  });

  it('are cut, the largest first, when the parts of their requests take too much memory', async () => {
    const fake = triggers();
    const log = recordingLogger();
    const { port, server, client } = await startServer(fake, { log });
    const small = client.isActive(ref('cold'));
    await vi.waitFor(() => expect(fake.waiters).toBe(1));
    const session = await rawConnection(port);
    const head = frame(Buffer.alloc(60_001)).subarray(0, 5);
    const large = Array.from({ length: 1_200 }, () => openCall(session, 'IsActive').stream);
    for (const stream of large) stream.write(Buffer.concat([head, Buffer.alloc(60_000)]));
    await vi.waitFor(() => expect(large.some(({ rstCode }) => rstCode === 8)).toBe(true));
    await vi.waitFor(() => expect(server.openCalls).toBeLessThan(1_100));
    expect(log.messages('warn')).toEqual([
      'gRPC: the requests of all calls together are too large: the largest are cut',
    ]);
    fake.known('cold', 1);
    expect(await small).toEqual({ result: true });
    session.destroy();
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
  });

  it('with large headers are refused by HTTP/2, and close a connection that has not acknowledged the limit', async () => {
    const { port, client } = await startServer(triggers());
    const large = { 'x-large': 'x'.repeat(9_000) };
    const session = await rawConnection(port);
    const stream = session.request({ ':method': 'POST', ':path': '/', ...large });
    const [error] = await once(stream, 'error');
    expect(error).toMatchObject({ message: expect.stringContaining('ENHANCE_YOUR_CALM') });
    expect(session.closed).toBe(false);
    const hasty = http2Connect(`http://127.0.0.1:${port}`);
    hasty.on('error', () => {});
    hasty.request({ ':method': 'POST', ':path': '/', ...large }).on('error', () => {});
    await once(hasty, 'close');
    expect(await client.isActive(ref('a'))).toEqual({ result: false });
  });

  it.each(['/externalscaler.ExternalScaler/Nothing', '/no/method', '/'])(
    'of what is no method leave nothing open: %s',
    async (path) => {
      const { port, server } = await startServer(triggers());
      const session = await rawConnection(port);
      for (let call = 0; call < 100; call += 1) {
        expect(await openCall(session, path).status).toBe(Code.UNIMPLEMENTED);
      }
      await vi.waitFor(() => expect(server.openCalls).toBe(0));
    },
  );
});

describe('connections', () => {
  it('are never more than grpc.maxConnections: idle ones go, and KEDA’s with its streams stays', async () => {
    const fake = triggers();
    const { port, server, client } = await startServer(fake, { maxConnections: 4 });
    const stream = client.streamIsActive(ref('a'));
    await stream.next();
    for (let opened = 0; opened < 50; opened += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      // A probe on its own connection.
      if (opened % 10 === 0) expect(await health(port)).toEqual({ status: 'SERVING' });
    }
    expect(server.openConnections).toBeLessThanOrEqual(4);
    fake.known('a', 1);
    expect(await stream.next()).toEqual({ result: true });
  });

  it('with many streams stay if every other has one too', async () => {
    const fake = triggers();
    const { port, server, client } = await startServer(fake, { maxConnections: 4 });
    const streams = [client.streamIsActive(ref('a')), client.streamIsActive(ref('a'))];
    for (const stream of streams) await stream.next();
    for (let opened = 0; opened < 10; opened += 1) {
      const call = rawCall(await rawConnection(port), 'StreamIsActive', reference);
      await vi.waitFor(() => expect(call.messages()).toHaveLength(1));
    }
    expect(server.openConnections).toBe(4);
    fake.known('a', 1);
    for (const stream of streams) expect(await stream.next()).toEqual({ result: true });
  });
});

it('a reflection stream or a watch does not delay a drain', async () => {
  const { port, server } = await startServer(triggers());
  const session = await rawConnection(port);
  const watching = rawCall(session, watch, Buffer.alloc(0));
  openCall(session, reflection[0] ?? '');
  await vi.waitFor(() => expect(server.openCalls).toBe(2));
  await server.drain(60_000);
  expect(await watching.status).toBe(Code.OK);
});

it('reflection that cannot be loaded fails only its own call', async () => {
  vi.spyOn(ReflectionService.prototype, 'addToServer').mockImplementation(() => {
    throw new Error('cannot be loaded');
  });
  const { client, port } = await startServer(triggers());
  const session = await rawConnection(port);
  expect(await openCall(session, reflection[0] ?? '').status).toBe(Code.INTERNAL);
  expect(await client.isActive(ref('a'))).toEqual({ result: false });
});
