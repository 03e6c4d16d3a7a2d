import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { oldKeda } from '../support/old-keda.ts';
import { startServer } from '../support/rpc.ts';

const ref = { name: 'a', namespace: 'shop', scalerMetadata: { source: 'fake', target: '2.5' } };

async function start() {
  const triggers = new FakeTriggers();
  const started = await startServer(triggers);
  return { triggers, ...started, keda: oldKeda(started.port) };
}

describe('a client compiled from the contract before KEDA 2.17', () => {
  it('knows neither floats nor StreamMetricSpec', async () => {
    const { keda } = await start();
    expect(keda.rpcs).toEqual(['IsActive', 'StreamIsActive', 'GetMetricSpec', 'GetMetrics']);
  });

  it('gets a whole target that is not zero', async () => {
    const { keda } = await start();
    expect(await keda.ask('GetMetricSpec', ref)).toEqual({
      metricSpecs: [{ metricName: 'fake-a', targetSize: '3' }],
    });
  });

  it.each([
    [0, '0', false],
    [0.2, '1', true],
    [22.2, '23', true],
    [1e12, '1000000000000', true],
    [Number.MAX_SAFE_INTEGER, '9007199254740991', true],
  ])('gets %d as %s, and whether it is active', async (value, metricValue, active) => {
    const { keda, triggers } = await start();
    triggers.known('a', value);
    expect(await keda.ask('GetMetrics', { scaledObjectRef: ref, metricName: 'fake-a' })).toEqual({
      metricValues: [{ metricName: 'fake-a', metricValue }],
    });
    expect(await keda.ask('IsActive', ref)).toEqual({ result: active });
  });

  it('gets the state on open and the edge, and its stream ends with OK at a drain', async () => {
    const { keda, triggers, server } = await start();
    triggers.known('a', 0);
    const { messages, ended } = keda.push(ref);
    await vi.waitFor(() => expect(messages).toEqual([{ result: false }]));
    triggers.known('a', 1);
    await vi.waitFor(() => expect(messages).toEqual([{ result: false }, { result: true }]));
    await server.drain(10_000);
    expect((await ended).code).toBe(Code.OK);
  });

  it('gets an error, never a zero, if nothing is known', async () => {
    const { keda, triggers } = await start();
    triggers.set('a', { kind: 'uncounted', active: true, why: 'the first sync runs' });
    await expect(keda.ask('GetMetrics', { scaledObjectRef: ref, metricName: '' })).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
    });
  });
});
