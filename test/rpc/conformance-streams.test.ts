import { setTimeout as sleep } from 'node:timers/promises';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../src/errors.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { stallableProxy } from '../support/proxy.ts';
import { rawCall, rawConnection } from '../support/raw-rpc.ts';
import { rpcCount, startServer } from '../support/rpc.ts';
import { ref } from '../support/rpc-client.ts';

const reference = Buffer.from('0a0161120473686f701a0e0a06736f75726365120466616b65', 'hex');
const isTrue = { result: true };
const isFalse = { result: false };

describe('conformance: streams', () => {
  it('21 StreamIsActive: the current state is delivered on open without waiting for a change', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 3);
    triggers.known('b', 0);
    const { client } = await startServer(triggers);
    expect(await client.streamIsActive(ref('a')).next()).toEqual(isTrue);
    expect(await client.streamIsActive(ref('b')).next()).toEqual(isFalse);
  });

  it('21 while nothing is known the stream is open and silent, then says the state', async () => {
    const triggers = new FakeTriggers();
    triggers.set('a', new ScalerError('unavailable', 'broker down'));
    const { client, server } = await startServer(triggers);
    const stream = client.streamIsActive(ref('a'));
    await vi.waitFor(() => expect(server.openStreams).toBe(1));
    triggers.known('a', 0);
    expect(await stream.next()).toEqual(isFalse);
    expect(stream.messages).toHaveLength(1);
  });

  it('22 true on each inactive-to-active, one confirming true, none on steady state', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client } = await startServer(triggers, { times: { confirmMs: 20 } });
    const stream = client.streamIsActive(ref('a'));
    expect(await stream.next()).toEqual(isFalse);
    triggers.known('a', 5);
    expect(await stream.next()).toEqual(isTrue);
    expect(await stream.next()).toEqual(isTrue);
    triggers.known('a', 50);
    await sleep(100);
    triggers.known('a', 0);
    triggers.known('a', 5);
    expect(await stream.next()).toEqual(isTrue);
    expect(await stream.next()).toEqual(isTrue);
    await sleep(100);
    expect(stream.messages).toEqual([isFalse, isTrue, isTrue, isTrue, isTrue]);
  });

  it('22 an edge is not confirmed when it is over by then', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client } = await startServer(triggers, { times: { confirmMs: 30 } });
    const stream = client.streamIsActive(ref('a'));
    await stream.next();
    triggers.known('a', 5);
    await stream.next();
    triggers.known('a', 0);
    await sleep(150);
    expect(stream.messages).toEqual([isFalse, isTrue]);
  });

  it('22 the state on open is not confirmed: only edges are', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 5);
    const { client } = await startServer(triggers, { times: { confirmMs: 20 } });
    const stream = client.streamIsActive(ref('a'));
    await stream.next();
    await sleep(100);
    expect(stream.messages).toEqual([isTrue]);
  });

  it('23 slow reader: at most 1 pending message, and none that is no longer true', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { port, server } = await startServer(triggers, { times: { confirmMs: 60_000 } });
    const session = await rawConnection(port, 0);
    const call = rawCall(session, 'StreamIsActive', reference);
    await vi.waitFor(() => expect(server.openStreams).toBe(1));
    for (let edge = 0; edge < 1000; edge += 1) {
      triggers.known('a', 1);
      triggers.known('a', 0);
    }
    expect(call.messages()).toHaveLength(0);
    triggers.known('a', 1);
    session.settings({ initialWindowSize: 65_535 });
    await vi.waitFor(() => expect(call.messages().length).toBeGreaterThan(1));
    await sleep(50);
    expect(call.messages().map((message) => message.toString('hex'))).toEqual(['0800', '0801']);
  });

  it('23 slow reader: a pending true is dropped when the edge is over before it could leave', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { port, server } = await startServer(triggers, { times: { confirmMs: 60_000 } });
    const session = await rawConnection(port, 0);
    const call = rawCall(session, 'StreamIsActive', reference);
    await vi.waitFor(() => expect(server.openStreams).toBe(1));
    triggers.known('a', 1);
    triggers.known('a', 0);
    session.settings({ initialWindowSize: 65_535 });
    await vi.waitFor(() => expect(call.messages()).toHaveLength(1));
    await sleep(50);
    expect(call.messages().map((message) => message.toString('hex'))).toEqual(['0800']);
  });

  it('25 two streams for the same ref are both served; the old one ends independently', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client, server } = await startServer(triggers);
    const old = client.streamIsActive(ref('a'));
    const young = client.streamIsActive(ref('a'));
    await Promise.all([old.next(), young.next()]);
    old.cancel();
    await vi.waitFor(() => expect(server.openStreams).toBe(1));
    triggers.known('a', 1);
    expect(await young.next()).toEqual(isTrue);
    expect(old.messages).toEqual([isFalse]);
  });

  it('27 a healthy stream never ends non-OK; max stream age ends StreamIsActive with OK, StreamMetricSpec never', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client, server, metrics } = await startServer(triggers, {
      maxConnectionAgeSeconds: 0.05,
      times: { ageSpreadMs: 50 },
    });
    const activity = client.streamIsActive(ref('a'));
    const spec = client.streamMetricSpec(ref('a'));
    expect((await activity.ended).code).toBe(Code.OK);
    expect(await rpcCount(metrics, 'StreamIsActive', 'OK')).toBe(1);
    await spec.next();
    // New calls use a new connection. The old one got its GOAWAY and still carries the spec.
    expect(await client.isActive(ref('a'))).toEqual(isFalse);
    expect(server.openStreams).toBe(1);
    expect(await rpcCount(metrics, 'StreamMetricSpec', 'OK')).toBe(0);
  });

  it('27 an age of a year does not end a stream at once', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { client, server } = await startServer(triggers, { maxConnectionAgeSeconds: 365 * 86_400 });
    await client.streamIsActive(ref('a')).next();
    await sleep(100);
    expect(server.openStreams).toBe(1);
  });

  it('30 StreamMetricSpec: specs immediately, equal to GetMetricSpec, no duplicates', async () => {
    const { client } = await startServer(new FakeTriggers());
    const stream = client.streamMetricSpec(ref('a', { target: '2.5' }));
    const spec = await stream.next();
    expect(spec).toEqual(await client.getMetricSpec(ref('a', { target: '2.5' })));
    expect(stream.messages).toHaveLength(1);
  });

  it('30 StreamMetricSpec: a changed spec is sent on the open stream, once, and GetMetricSpec says the same', async () => {
    const triggers = new FakeTriggers();
    const { client, server } = await startServer(triggers);
    const stream = client.streamMetricSpec(ref('a', { target: '2.5' }));
    await stream.next();
    triggers.retarget('a', 7);
    const spec = await stream.next();
    expect(spec.metricSpecs).toMatchObject([{ metricName: 'fake-a', targetSizeFloat: 7 }]);
    expect(await client.getMetricSpec(ref('a', { target: '2.5' }))).toEqual(spec);
    expect(stream.messages).toHaveLength(2);
    stream.cancel();
    await vi.waitFor(() => expect(server.openStreams).toBe(0));
    expect(triggers.specFollowers).toBe(0);
  });

  it('31 2,000 and more streams on ONE connection, plus unary while streams are open', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { port, server, metrics } = await startServer(triggers);
    const session = await rawConnection(port);
    const calls = Array.from({ length: 2500 }, () => rawCall(session, 'StreamIsActive', reference));
    await vi.waitFor(() => expect(calls.every((call) => call.messages().length === 1)).toBe(true), 10_000);
    expect(server.openStreams).toBe(2500);
    expect(await rawCall(session, 'IsActive', reference).status).toBe(0);
    triggers.known('a', 1);
    await vi.waitFor(() => expect(calls.every((call) => call.messages().length === 2)).toBe(true), 10_000);
    expect(await rpcCount(metrics, 'StreamIsActive', 'INTERNAL')).toBe(0);
  });

  it('32 keepalive: a client that sends no pings is kept, a dead peer is found and released', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0);
    const { port, server } = await startServer(triggers, {
      times: { keepaliveMs: 20, keepaliveTimeoutMs: 200 },
    });
    const proxy = await stallableProxy(port);
    const call = rawCall(await rawConnection(proxy.port), 'StreamIsActive', reference);
    await vi.waitFor(() => expect(call.messages()).toHaveLength(1));
    await sleep(300);
    expect(server.openStreams).toBe(1);
    proxy.stall();
    await vi.waitFor(() => expect(server.openStreams).toBe(0), 5000);
    expect(triggers.followers).toBe(0);
  });
});
