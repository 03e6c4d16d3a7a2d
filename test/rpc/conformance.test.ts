import { status as Code, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ScalerError } from '../../src/errors.ts';
import { jobsToCreate, scaledJobDefaults } from '../../src/scaling/scaled-job.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { startServer } from '../support/rpc.ts';
import { ref } from '../support/rpc-client.ts';

/*
 * What KEDA v2.21 needs from a server (pkg/scalers/external_scaler.go and its callers). The numbers continue in
 * wire.test.ts (2, 3), conformance-triggers.test.ts, conformance-streams.test.ts and tls.test.ts (33).
 */
describe('conformance: contract and numbers', () => {
  it('1 serves the five RPCs; an unknown method is UNIMPLEMENTED', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 1);
    const { client, port } = await startServer(triggers);
    await client.isActive(ref('a'));
    await client.getMetricSpec(ref('a'));
    await client.getMetrics(ref('a'), 'fake-a');
    await client.streamIsActive(ref('a')).next();
    await client.streamMetricSpec(ref('a')).next();
    await expect(callUnknown(port)).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });

  it('4 GetMetricSpec returns exactly 1 spec, deterministic for the same metadata', async () => {
    const { client } = await startServer(new FakeTriggers());
    const spec = await client.getMetricSpec(ref('a', { target: '2.5' }));
    expect(spec.metricSpecs).toEqual([{ metricName: 'fake-a', targetSize: '3', targetSizeFloat: 2.5 }]);
    expect(await client.getMetricSpec(ref('a', { target: '2.5' }))).toEqual(spec);
  });

  it('7 GetMetrics(name from spec) gives exactly one MetricValue with the same name', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 7);
    const { client } = await startServer(triggers);
    const { metricSpecs } = await client.getMetricSpec(ref('a'));
    const metricName = metricSpecs[0]?.metricName ?? '';
    const { metricValues } = await client.getMetrics(ref('a'), metricName);
    expect(metricValues).toEqual([{ metricName, metricValue: '7', metricValueFloat: 7 }]);
  });

  it('8 GetMetrics(unknown name) is NOT_FOUND and names the right one; "" is tolerated', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 7);
    const { client } = await startServer(triggers);
    await expect(client.getMetrics(ref('a'), 'other')).rejects.toMatchObject({
      code: Code.NOT_FOUND,
      details: 'fake trigger of shop/a: has no metric "other", its metric is "fake-a"',
    });
    expect((await client.getMetrics(ref('a'), '')).metricValues).toHaveLength(1);
  });

  it('9 a prefixed name "s0-x" is not what KEDA sends, and is not known', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 7);
    const { client } = await startServer(triggers);
    await expect(client.getMetrics(ref('a'), 's0-fake-a')).rejects.toMatchObject({ code: Code.NOT_FOUND });
  });

  it.each([
    [0, '0'],
    [0.4, '1'],
    [25, '25'],
    [25.000001, '26'],
    [1e12, '1000000000000'],
    [2 ** 60, '1152921504606846976'],
    [1e300, '9223372036854775807'],
  ])('10 value %d: the float exact, the int %s', async (value, metricValue) => {
    const triggers = new FakeTriggers();
    triggers.known('a', value);
    const { client } = await startServer(triggers);
    const { metricValues } = await client.getMetrics(ref('a'), 'fake-a');
    expect(metricValues).toEqual([{ metricName: 'fake-a', metricValue, metricValueFloat: value }]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])(
    '10 never %d: an error, since KEDA would take it for 0',
    async (value) => {
      const triggers = new FakeTriggers();
      triggers.known('a', value, true);
      const { client } = await startServer(triggers);
      await expect(client.getMetrics(ref('a'), 'fake-a')).rejects.toMatchObject({ code: Code.INTERNAL });
    },
  );

  it('11 IsActive and GetMetrics come from one answer; activity may be known before the number', async () => {
    const triggers = new FakeTriggers();
    triggers.set('a', { kind: 'uncounted', active: true, why: 'the first sync of acme/web is not done' });
    const { client } = await startServer(triggers);
    expect(await client.isActive(ref('a'))).toEqual({ result: true });
    await expect(client.getMetrics(ref('a'), 'fake-a')).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      details:
        'fake trigger of shop/a: is active, its number is not known yet: the first sync of acme/web is not done',
    });
    triggers.known('a', 0);
    expect(await client.isActive(ref('a'))).toEqual({ result: false });
    expect((await client.getMetrics(ref('a'), '')).metricValues[0]?.metricValueFloat).toBe(0);
  });

  it('16 no crash on an empty ref, a nil scaledObjectRef, an empty map: INVALID_ARGUMENT says what is missing', async () => {
    const { client } = await startServer(new FakeTriggers());
    const invalid = (details: string) => ({ code: Code.INVALID_ARGUMENT, details });
    const nothing = invalid(
      "the scaledObjectRef has no name, no namespace, no scalerMetadata (the trigger's metadata)",
    );
    await expect(client.isActive({})).rejects.toMatchObject(nothing);
    await expect(client.getMetricSpec({})).rejects.toMatchObject(nothing);
    await expect(client.getMetrics({}, '')).rejects.toMatchObject(nothing);
    expect(await client.streamIsActive({}).ended).toMatchObject(nothing);
    expect(await client.streamMetricSpec({}).ended).toMatchObject(nothing);
    await expect(client.getMetrics(null, 'x')).rejects.toMatchObject(
      invalid('the request has no scaledObjectRef'),
    );
    await expect(client.isActive(ref('a', {}))).rejects.toMatchObject(
      invalid("the scaledObjectRef has no scalerMetadata (the trigger's metadata)"),
    );
  });

  it('16 a megabyte of metadata is RESOURCE_EXHAUSTED, and the next call works', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 1);
    const { client } = await startServer(triggers);
    const huge = ref('a', { topic: 'x'.repeat(2 ** 20) });
    await expect(client.isActive(huge)).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    expect((await client.streamIsActive(huge).ended).code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(await client.isActive(ref('a'))).toEqual({ result: true });
  });

  it.each([
    ['denied', Code.PERMISSION_DENIED],
    ['not_found', Code.NOT_FOUND],
    ['unavailable', Code.UNAVAILABLE],
    ['exhausted', Code.RESOURCE_EXHAUSTED],
  ] as const)('17 %s is an error on every unary RPC that reads, never 0 or false', async (code, expected) => {
    const triggers = new FakeTriggers();
    triggers.set('a', new ScalerError(code, 'broker down'));
    const { client } = await startServer(triggers);
    const error = { code: expected, details: 'broker down' };
    await expect(client.isActive(ref('a'))).rejects.toMatchObject(error);
    await expect(client.getMetrics(ref('a'), 'fake-a')).rejects.toMatchObject(error);
    expect((await client.getMetricSpec(ref('a'))).metricSpecs).toHaveLength(1);
  });

  it('36 ScaledJob arithmetic: value over target gives the Jobs, from the numbers on the wire', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 30);
    const { client } = await startServer(triggers);
    const spec = (await client.getMetricSpec(ref('a', { target: '10' }))).metricSpecs[0];
    const metric = (await client.getMetrics(ref('a', { target: '10' }), 'fake-a')).metricValues[0];
    const poll = {
      isActive: (await client.isActive(ref('a'))).result,
      value: metric?.metricValueFloat ?? 0,
      target: spec?.targetSizeFloat ?? 0,
    };
    expect(jobsToCreate(scaledJobDefaults, { ...poll, running: 0, pending: 0 })).toBe(3);
    expect(jobsToCreate(scaledJobDefaults, { ...poll, running: 2, pending: 0 })).toBe(1);
    const accurate = { ...scaledJobDefaults, strategy: { kind: 'accurate' } as const };
    expect(jobsToCreate(accurate, { ...poll, running: 2, pending: 0 })).toBe(3);
  });
});

function callUnknown(port: number): Promise<unknown> {
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/externalscaler.ExternalScaler/Close';
  const Unknown = makeGenericClientConstructor({}, 'Unknown');
  const client = new Unknown(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
}
