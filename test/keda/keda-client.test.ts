import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../src/errors.ts';
import type { LiveTrigger } from '../../src/grpc/service.ts';
import { givenValues } from '../../src/params/parse.ts';
import type { Reference } from '../../src/triggers/reference.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { startServer } from '../support/rpc.ts';
import { addressed, useKeda } from './use-keda.ts';

class RecordingTriggers extends FakeTriggers {
  readonly references: Reference[] = [];

  override trigger(reference: Reference): LiveTrigger {
    this.references.push(reference);
    return super.trigger(reference);
  }
}

describe("KEDA's own client, polling", () => {
  const startKeda = useKeda();

  it.each([
    { target: '10', exact: 10 },
    { target: '0.5', exact: 0.5 },
    { target: '2.3456', exact: 2.346 },
    { target: '1e12', exact: 1e12 },
  ])('gives the HPA a target of $exact for $target', async ({ target, exact }) => {
    const { port } = await startServer(new FakeTriggers());
    const keda = startKeda();
    await keda.open('a', { ...addressed(port, { target }), index: 3 });
    expect(await keda.spec('a')).toEqual([
      { name: 's3-fake-orders-worker', metricType: 'AverageValue', target: exact },
    ]);
  });

  it.each([
    { value: 0, exact: 0, active: false },
    { value: 0.4, exact: 0.4, active: true },
    { value: 22.2222, exact: 22.222, active: true },
    { value: 0.0006, exact: 0.001, active: true },
    { value: 0.0004, exact: 0, active: true },
    { value: 12_345, exact: 12_345, active: true },
    { value: 1e12, exact: 1e12, active: true },
    { value: 1_000_000_000_000.25, exact: 1_000_000_000_000.25, active: true },
    { value: Number.MAX_SAFE_INTEGER, exact: Number.MAX_SAFE_INTEGER, active: true },
  ])('gives the HPA $exact for a value of $value', async ({ value, exact, active }) => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', value);
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    expect(await keda.metrics('a', 's0-fake-orders-worker')).toEqual({
      values: [{ name: 's0-fake-orders-worker', value: exact }],
      active,
    });
  });

  it('requests the name from the spec, for every type, metricType and index', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 7);
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', {
      ...addressed(port),
      type: 'external',
      kind: 'ScaledJob',
      metricType: 'Value',
      index: 12,
    });
    const [spec] = await keda.spec('a');
    expect(spec).toEqual({ name: 's12-fake-orders-worker', metricType: 'Value', target: 10 });
    expect((await keda.metrics('a', spec?.name ?? '')).values).toEqual([{ name: spec?.name, value: 7 }]);
    await expect(keda.open('b', { ...addressed(port), metricType: 'Utilization' })).rejects.toThrow(
      /'Utilization' metric type is unsupported/,
    );
  });

  it('takes value and activity from one answer, even if they differ', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 3, false);
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    expect(await keda.metrics('a', 's0-fake-orders-worker')).toEqual({
      values: [{ name: 's0-fake-orders-worker', value: 3 }],
      active: false,
    });
  });

  it('gets an error and no value if nothing is known', async () => {
    const triggers = new FakeTriggers();
    const message = 'kafka trigger of shop/orders-worker: the brokers are away – “größer” 100 %';
    triggers.set('orders-worker', new ScalerError('unavailable', message));
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    await expect(keda.metrics('a', 's0-fake-orders-worker')).rejects.toThrow(
      `rpc error: code = Unavailable desc = ${message}`,
    );
    triggers.set('orders-worker', { kind: 'uncounted', active: true, why: 'the first sync runs' });
    await expect(keda.metrics('a', 's0-fake-orders-worker')).rejects.toThrow(
      /code = Unavailable .*the first sync runs/,
    );
  });

  it('gets an error for a metric of another trigger', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 3);
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    await expect(keda.metrics('a', 's0-other')).rejects.toThrow(/code = NotFound .*fake-orders-worker/);
  });

  it('logs the faults of a trigger, and gets no spec', async () => {
    const triggers = new FakeTriggers();
    const message = 'shop/orders-worker: lagThreshold: is not a number; topic: is missing';
    triggers.refuse('orders-worker', new ScalerError('invalid', message));
    const { port } = await startServer(triggers);
    const keda = startKeda();
    await keda.open('a', addressed(port));
    expect(await keda.spec('a')).toEqual([]);
    expect(keda.errors).toContainEqual(expect.stringContaining(`code = InvalidArgument desc = ${message}`));
  });

  it('sends FromEnv keys under their own name with the value, and leaves out empty ones', async () => {
    const triggers = new RecordingTriggers();
    const { port } = await startServer(triggers);
    const keda = startKeda();
    const metadata = {
      topic: ' orders ',
      bootstrapServersFromEnv: 'BROKERS',
      consumerGroupFromEnv: 'EMPTY',
      sourceFromEnv: 'NOT_THERE',
      enableTLS: 'false',
    };
    await keda.open('a', {
      ...addressed(port, metadata),
      resolvedEnv: { BROKERS: 'kafka-1:9092', EMPTY: '' },
      authParams: { password: 'never sent' },
    });
    await keda.spec('a');
    const [reference] = triggers.references;
    expect(reference).toEqual({
      namespace: 'shop',
      name: 'orders-worker',
      metadata: {
        topic: ' orders ',
        bootstrapServersFromEnv: 'kafka-1:9092',
        enableTLS: 'false',
        scalerAddress: `127.0.0.1:${port}`,
      },
    });
    expect(givenValues(reference?.metadata ?? {}).get('bootstrapServers')).toMatchObject({
      value: 'kafka-1:9092',
    });
  });
});
