import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { QueueService } from '../support/hint-source.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { rpcCount } from '../support/rpc.ts';
import { ref } from '../support/rpc-client.ts';
import { connectionsTo, startQueueScaler, startScaler } from '../support/scaler.ts';

const queue = { source: 'hinted', queue: 'orders' };
const tank = { source: 'level', tank: 'water' };

describe('conformance: triggers', () => {
  it('5 metricName: [a-z0-9-], at most 63, no "sN-" prefix, the same after a restart, not of the threshold', async () => {
    const { client } = await startQueueScaler();
    const { client: restarted } = await startQueueScaler();
    for (const name of ['orders', 'Orders.EU_west/1', 'ü'.repeat(80), 'x'.repeat(200)]) {
      const spec = (await client.getMetricSpec(ref('w', { ...queue, queue: name }))).metricSpecs[0];
      expect(spec?.metricName).toMatch(/^[a-z0-9-]{1,63}$/);
      expect(spec?.metricName).not.toMatch(/^s\d+-/);
      const again = ref('other', { ...queue, queue: name, perReplica: '77' });
      expect((await restarted.getMetricSpec(again)).metricSpecs[0]?.metricName).toBe(spec?.metricName);
    }
  });

  it.each(['0', '-1', 'NaN', 'Inf', '1e999', '0x10', 'ten'])(
    '6 threshold %s is INVALID_ARGUMENT',
    async (threshold) => {
      const { client } = await startQueueScaler();
      await expect(client.getMetricSpec(ref('w', { ...tank, threshold }))).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        details: expect.stringContaining('threshold'),
      });
    },
  );

  it('6 targetSizeFloat is above 0 for the least threshold there is', async () => {
    const { client } = await startQueueScaler();
    const { metricSpecs } = await client.getMetricSpec(ref('w', { ...tank, threshold: '1e-300' }));
    expect(metricSpecs[0]).toMatchObject({ targetSize: '1', targetSizeFloat: 0.001 });
  });

  it('12 activation is strictly greater: at the boundary inactive, above it active', async () => {
    const { client, tanks } = await startQueueScaler();
    tanks.set('water', 5);
    const at = ref('w', { ...tank, activation: '5' });
    expect(await client.isActive(at)).toEqual({ result: false });
    expect((await client.getMetrics(at, '')).metricValues[0]?.metricValueFloat).toBe(5);
    expect(await client.isActive(ref('w', { ...tank, activation: '4' }))).toEqual({ result: true });
  });

  it('13 scalerAddress, enableTLS, unsafeSsl are accepted and ignored', async () => {
    const { client } = await startQueueScaler();
    const own = { scalerAddress: 'scaler.keda:6000', enableTLS: 'true', unsafeSsl: 'false' };
    expect(await client.isActive(ref('w', { ...tank, ...own }))).toEqual({ result: false });
  });

  it('13 an unknown key is INVALID_ARGUMENT and names the near one', async () => {
    const { client } = await startQueueScaler();
    await expect(client.isActive(ref('w', { ...tank, treshold: '5' }))).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      details: expect.stringContaining('"treshold": unknown key (did you mean "threshold"?)'),
    });
  });

  it('14 <key>FromEnv: its value is the value of <key>; the plain key wins; missing names both', async () => {
    const { client } = await startQueueScaler();
    const target = async (metadata: Record<string, string>): Promise<number | undefined> =>
      (await client.getMetricSpec(ref('w', { ...tank, ...metadata }))).metricSpecs[0]?.targetSizeFloat;
    expect(await target({ thresholdFromEnv: '7' })).toBe(7);
    expect(await target({ thresholdFromEnv: '7', threshold: '8' })).toBe(8);
    await expect(client.isActive(ref('w', { source: 'level' }))).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      details: expect.stringMatching(/tank: is required \(or tankFromEnv\)/),
    });
  });

  it('15 values are trimmed, empty is missing, booleans are Go’s', async () => {
    const { client, tanks } = await startQueueScaler();
    tanks.set('water', 3);
    const value = async (doubled: string): Promise<number | undefined> => {
      const trigger = ref('w', { source: ' level ', tank: '\twater ', threshold: '  ', doubled });
      return (await client.getMetrics(trigger, '')).metricValues[0]?.metricValueFloat;
    };
    for (const yes of ['1', 't', 'T', 'TRUE', 'true', 'True', ' true ']) expect(await value(yes)).toBe(6);
    for (const no of ['0', 'f', 'F', 'FALSE', 'false', 'False', '']) expect(await value(no)).toBe(3);
    await expect(value('yes')).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  it('16 INVALID_ARGUMENT with all problems, on all RPCs', async () => {
    const { client } = await startQueueScaler();
    const bad = ref('w', { source: 'level', threshold: '-1', doubled: 'yes', colour: 'red' });
    const all = ['tank: is required', 'threshold: ', 'doubled: ', '"colour": unknown key'];
    const faults: { code: Code; details: string }[] = [
      await failure(client.isActive(bad)),
      await failure(client.getMetricSpec(bad)),
      await failure(client.getMetrics(bad, '')),
      await client.streamIsActive(bad).ended,
      await client.streamMetricSpec(bad).ended,
    ];
    for (const { code, details } of faults) {
      expect(code).toBe(Code.INVALID_ARGUMENT);
      for (const problem of all) expect(details).toContain(problem);
    }
  });

  it('29 same name, different metadata are isolated from each other', async () => {
    const { client, tanks } = await startQueueScaler();
    tanks.set('water', 1);
    const water = client.streamIsActive(ref('w', tank));
    const oil = client.streamIsActive(ref('w', { ...tank, tank: 'oil' }));
    expect([await water.next(), await oil.next()]).toEqual([{ result: true }, { result: false }]);
    tanks.set('oil', 1);
    expect(await oil.next()).toEqual({ result: true });
    expect(water.messages).toHaveLength(1);
  });

  it('34 no secrets: the value of a FromEnv key is in no message, log or metric', async () => {
    const log = recordingLogger();
    const { client, metrics } = await startQueueScaler({ log });
    const bad = ref('w', { ...tank, thresholdFromEnv: 'hunter2' });
    const { code, details } = await failure(client.isActive(bad));
    expect(code).toBe(Code.INVALID_ARGUMENT);
    expect(details).toContain('thresholdFromEnv');
    expect(details).not.toContain('hunter2');
    expect(log.text()).not.toContain('hunter2');
    expect(await metrics.registry.metrics()).not.toContain('hunter2');
    expect(await rpcCount(metrics, 'IsActive', 'INVALID_ARGUMENT')).toBe(1);
  });

  it('35 two replicas give the same metric names and values', async () => {
    const service = new QueueService();
    service.queues.set('orders', { visible: 12, inFlight: 3 });
    const connections = connectionsTo(service, new Map());
    const replicas = await Promise.all([startScaler({ connections }), startScaler({ connections })]);
    const answers = await Promise.all(
      replicas.map(async ({ client }) => ({
        ...(await client.getMetricSpec(ref('w', queue))),
        ...(await client.getMetrics(ref('w', queue), 'hinted-orders')),
        ...(await client.isActive(ref('w', queue))),
      })),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ result: true, metricValues: [{ metricValueFloat: 15 }] });
  });
});

async function failure(call: Promise<unknown>): Promise<{ code: Code; details: string }> {
  return call.then(
    () => Promise.reject(new Error('the call should have failed')),
    ({ code, details }) => ({ code, details }),
  );
}
