import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../src/errors.ts';
import { GrpcServer } from '../../src/grpc/server.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import type { Activity } from '../../src/triggers/followers.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { grpcSettings, startServer } from '../support/rpc.ts';
import { addressed, eventually, settled, useKeda } from './use-keda.ts';

/** Ends the first streams with an error. Afterwards the workload is at rest. */
class FailingTriggers extends FakeTriggers {
  readonly followedAtMs: number[] = [];
  private readonly failures: number;

  constructor(failures: number) {
    super();
    this.failures = failures;
    this.known('orders-worker', 0);
  }

  override follow(name: string, told: (activity: Activity) => void): () => void {
    this.followedAtMs.push(performance.now());
    if (this.followedAtMs.length <= this.failures) throw new ScalerError('unavailable', 'not yet');
    return super.follow(name, told);
  }
}

describe("KEDA's own client, pushed", () => {
  const startKeda = useKeda();

  it('gets the state on open, the edge, its confirmation, and nothing else', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 0);
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    const { states } = await keda.run('a');
    await eventually(() => expect(states).toEqual([false]));
    triggers.known('orders-worker', 1);
    await eventually(() => expect(states).toEqual([false, true]));
    triggers.known('orders-worker', 50);
    await keda.metrics('a', 's0-fake-orders-worker');
    await settled(states, 3, 3000);
    expect(states).toEqual([false, true, true]);
    expect(keda.errors).toEqual([]);
  });

  it('learns at once that a trigger is already active, even if its number is unknown', async () => {
    const triggers = new FakeTriggers();
    triggers.set('orders-worker', { kind: 'uncounted', active: true, why: 'the first sync runs' });
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    const { states } = await keda.run('a');
    await eventually(() => expect(states).toEqual([true]));
  });

  it('gets the spec on StreamMetricSpec, once', async () => {
    const { port, server } = await startServer(new FakeTriggers());
    const keda = startKeda();
    await keda.open('a', { ...addressed(port, { target: '2.5' }), index: 1 });
    const { specs } = await keda.run('a');
    await settled(specs, 1, 500);
    expect(specs).toEqual([[{ name: 's1-fake-orders-worker', metricType: 'AverageValue', target: 2.5 }]]);
    expect(specs[0]).toEqual(await keda.spec('a'));
    expect(server.openStreams).toBe(2);
  });

  it('comes back without an error after a drain, and gets the present state', async () => {
    const before = new FakeTriggers();
    before.known('orders-worker', 0);
    const { port, server } = await startServer(before);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    const { states, specs } = await keda.run('a');
    await eventually(() => expect([states, specs.length]).toEqual([[false], 1]));

    await server.drain(10_000);
    const after = new FakeTriggers();
    after.known('orders-worker', 5);
    const deps = { triggers: after, metrics: new Metrics(), log: silentLogger };
    const successor = new GrpcServer({ ...grpcSettings, port }, deps);
    await successor.listen();
    try {
      await eventually(() => expect([states, specs.length]).toEqual([[false, true], 2]));
      // KEDA logs every end of a stream except OK, and only OK resets its delay.
      expect(keda.errors).toEqual([]);
    } finally {
      await keda.stop();
      await successor.drain(10_000);
    }
  });

  it('comes back after a drain within its shortest delay, whatever delay errors had caused', async () => {
    const failing = new FailingTriggers(2);
    const { port, server } = await startServer(failing);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    const { states } = await keda.run('a');
    await eventually(() => expect(states).toEqual([false]));
    // KEDA has waited 2 s, then 4, and would wait 8 next. An end with OK takes it back to 2.
    const [, second = 0, third = 0] = failing.followedAtMs;

    const drainedAtMs = performance.now();
    await server.drain(10_000);
    const after = new FailingTriggers(0);
    const successor = new GrpcServer(
      { ...grpcSettings, port },
      { triggers: after, metrics: new Metrics(), log: silentLogger },
    );
    await successor.listen();
    try {
      await eventually(() => expect(states).toEqual([false, false]));
      expect((after.followedAtMs[0] ?? 0) - drainedAtMs).toBeLessThan(third - second);
    } finally {
      await keda.stop();
      await successor.drain(10_000);
    }
  });

  it('loses its streams when it closes the last scaler of a connection, and gets the state again after', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 5);
    const { port, server } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('before', addressed(port));
    const { states } = await keda.run('before');
    await eventually(() => expect([states, server.openStreams]).toEqual([[true], 2]));
    await keda.close('before');
    await eventually(() => expect(server.openStreams).toBe(0));
    await eventually(() => expect(keda.errors.join()).toContain('error running StreamIsActive'));
    await keda.open('rebuilt', addressed(port));
    await eventually(() => expect([states, server.openStreams]).toEqual([[true, true], 2]));
  });

  it('keeps its streams when another scaler shares the connection', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 0);
    const { port, server } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    await keda.open('b', { ...addressed(port), name: 'other-worker' });
    const { states } = await keda.run('a');
    await eventually(() => expect([states, server.openStreams]).toEqual([[false], 2]));
    await keda.close('a');
    triggers.known('orders-worker', 1);
    await eventually(() => expect(states.slice(0, 2)).toEqual([false, true]));
    expect(keda.errors).toEqual([]);
  });

  it('gets only the error of a refused trigger', async () => {
    const triggers = new FakeTriggers();
    triggers.refuse('orders-worker', new ScalerError('denied', 'the connection is not for this namespace'));
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    const { states, specs } = await keda.run('a');
    const error = expect.stringContaining('code = PermissionDenied desc = the connection is not for');
    await eventually(() => expect(keda.errors).toEqual(expect.arrayContaining([error, error])));
    expect([states, specs]).toEqual([[], []]);
  });

  it('follows 1,000 triggers on one connection while it polls', async () => {
    const triggers = new FakeTriggers();
    const { port, server } = await startServer(triggers);
    const keda = startKeda();
    const names = Array.from({ length: 1000 }, (_, index) => `worker-${index}`);
    for (const name of names) triggers.known(name, 0);
    const all = await Promise.all(
      names.map(async (name) => {
        await keda.open(name, { ...addressed(port), name });
        return keda.run(name);
      }),
    );
    await eventually(() => expect(server.openStreams).toBe(2000));
    await eventually(() => expect(all.every(({ states }) => states.length === 1)).toBe(true));
    for (const name of names) triggers.known(name, 1);
    expect((await keda.metrics('worker-7', 's0-fake-worker-7')).active).toBe(true);
    await eventually(() => expect(all.every(({ states }) => states[1] === true)).toBe(true));
    expect(keda.errors).toEqual([]);
  });
});
