import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { frame, openCall, rawCall, rawConnection } from '../support/raw-rpc.ts';
import { rpcCount, startServer } from '../support/rpc.ts';
import { ref } from '../support/rpc-client.ts';

const reference = Buffer.from('0a0161120473686f701a0e0a06736f75726365120466616b65', 'hex');

describe('drain', () => {
  it('26 graceful shutdown: all streams end with status OK, unary in flight finish', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client, server, metrics } = await startServer(triggers);
    const activity = client.streamIsActive(ref('a'));
    const spec = client.streamMetricSpec(ref('a'));
    const inFlight = client.isActive(ref('cold'));
    await Promise.all([activity.next(), spec.next()]);
    await vi.waitFor(() => expect(triggers.waiters).toBe(1));
    const drained = server.drain(60_000);
    expect((await activity.ended).code).toBe(Code.OK);
    expect((await spec.ended).code).toBe(Code.OK);
    triggers.known('cold', 1);
    expect(await inFlight).toEqual({ result: true });
    await drained;
    expect(triggers.followers).toBe(0);
    expect(await rpcCount(metrics, 'StreamIsActive', 'OK')).toBe(1);
    await expect(client.isActive(ref('a'))).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('26 very many streams end over several turns, so that calls are answered in between', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client, server, metrics } = await startServer(triggers);
    const streams = Array.from({ length: 350 }, () => client.streamIsActive(ref('a')));
    await Promise.all(streams.map((stream) => stream.next()));
    const left: number[] = [];
    const drained = server.drain(60_000);
    while (server.openStreams > 0) {
      left.push(server.openStreams);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(left).toEqual([250, 150, 50]);
    const ends = await Promise.all(streams.map((stream) => stream.ended));
    expect(ends.every(({ code }) => code === Code.OK)).toBe(true);
    await drained;
    expect(await rpcCount(metrics, 'StreamIsActive', 'OK')).toBe(350);
    expect(triggers.followers).toBe(0);
  });

  it('26 what does not end within the limit is cut', async () => {
    const triggers = new FakeTriggers();
    const { client, server, metrics } = await startServer(triggers);
    const hangs = client.isActive(ref('never'));
    const refused = expect(hangs).rejects.toMatchObject({ code: Code.CANCELLED });
    await vi.waitFor(() => expect(triggers.waiters).toBe(1));
    await server.drain(20);
    await refused;
    await vi.waitFor(() => expect(triggers.abandoned).toBe(1));
    expect(await rpcCount(metrics, 'IsActive', 'CANCELLED')).toBe(1);
  });

  it('26 a client that reads nothing does not hold a drain beyond its limit', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { port, server } = await startServer(triggers);
    rawCall(await rawConnection(port, 0), 'StreamIsActive', reference);
    await vi.waitFor(() => expect(server.openStreams).toBe(1));
    await server.drain(20);
    expect(server.openStreams).toBe(0);
    expect(triggers.followers).toBe(0);
  });

  it('26 a stream whose request comes while the server drains is ended with OK too', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { port, server } = await startServer(triggers);
    const session = await rawConnection(port);
    const late = openCall(session, 'StreamIsActive');
    await rawCall(session, 'IsActive', reference).status;
    const drained = server.drain(60_000);
    late.stream.end(frame(reference));
    expect(await late.status).toBe(Code.OK);
    await drained;
    expect(triggers.followers).toBe(0);
  });

  it('26 after a restart the client reconnects', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 1);
    const first = await startServer(triggers);
    await first.client.streamIsActive(ref('a')).next();
    await first.server.drain(1000);
    await startServer(triggers, { port: first.port });
    const again = async (): Promise<void> => {
      expect(await first.client.streamIsActive(ref('a')).next()).toEqual({ result: true });
    };
    await vi.waitFor(again, { timeout: 10_000, interval: 100 });
    first.client.close();
  });
});
