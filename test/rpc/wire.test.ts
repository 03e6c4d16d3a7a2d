import { describe, expect, it } from 'vitest';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { oldKeda } from '../support/old-keda.ts';
import { rawCall, rawConnection } from '../support/raw-rpc.ts';
import { startServer } from '../support/rpc.ts';

const text = (value: string): string => Buffer.from(value).toString('hex');

/** A ScaledObjectRef of trigger `a` in namespace `shop` with the metadata `source=fake`, written by hand. */
const reference = `0a0161${'1204'}${text('shop')}1a0e${`0a06${text('source')}1204${text('fake')}`}`;

describe('the wire', () => {
  it.each([
    ['IsActive', reference, '0801'],
    ['IsActive', `${reference}7a03${text('new')}`, '0801'],
    // MetricSpec: name = 1, targetSize = 2 (varint), targetSizeFloat = 3 (double, little endian).
    ['GetMetricSpec', reference, `0a13${`0a06${text('fake-a')}100a190000000000002440`}`],
    [
      'GetMetrics',
      `0a19${reference}1206${text('fake-a')}`,
      `0a13${`0a06${text('fake-a')}101a190000000000803940`}`,
    ],
  ])('2 wire golden: %s of %s is %s', async (method, request, response) => {
    const triggers = new FakeTriggers();
    triggers.known('a', 25.5);
    const { port } = await startServer(triggers);
    const call = rawCall(await rawConnection(port), method, Buffer.from(request, 'hex'));
    expect(await call.status).toBe(0);
    expect(call.messages().map((message) => message.toString('hex'))).toEqual([response]);
  });

  it('3 old client (no float fields): int targetSize and metricValue are set and sane', async () => {
    const triggers = new FakeTriggers();
    triggers.known('a', 0.2);
    const { port } = await startServer(triggers);
    const { ask } = oldKeda(port);
    const ref = { name: 'a', namespace: 'shop', scalerMetadata: { target: '2.5' } };
    const spec = await ask('GetMetricSpec', ref);
    expect(spec).toEqual({ metricSpecs: [{ metricName: 'fake-a', targetSize: '3' }] });
    const metrics = await ask('GetMetrics', { scaledObjectRef: ref, metricName: 'fake-a' });
    expect(metrics).toEqual({ metricValues: [{ metricName: 'fake-a', metricValue: '1' }] });
  });
});
