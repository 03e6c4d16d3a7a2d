import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../src/errors.ts';
import { JobLedger, ledgerSource } from '../support/ledger-source.ts';
import { connectionOf } from '../support/live-triggers.ts';
import { ref } from '../support/rpc-client.ts';
import { startQueueScaler, startScaler } from '../support/scaler.ts';

const queue = { source: 'hinted', queue: 'orders' };
const forever = new Promise<void>(() => {});
const unavailable = { code: Code.UNAVAILABLE };

describe('conformance: readings', () => {
  it('17 upstream down: last-good inside the window, an error after it, never 0 or false', {
    timeout: 20_000,
  }, async () => {
    const { client, service } = await startQueueScaler();
    service.queues.set('orders', { visible: 4, inFlight: 0 });
    const trigger = ref('w', { ...queue, maxStalenessSeconds: '3' });
    expect(await client.isActive(trigger)).toEqual({ result: true });
    service.faults.set('orders', new ScalerError('unavailable', 'the queue service is down'));
    await vi.waitFor(() => expect(service.readsOf('orders')).toBeGreaterThan(1), 5000);
    const { metricValues } = await client.getMetrics(trigger, '');
    expect(metricValues[0]?.metricValueFloat).toBe(4);
    const failed = async (): Promise<void> => {
      await expect(client.getMetrics(trigger, '')).rejects.toMatchObject({
        ...unavailable,
        details: expect.stringContaining('the queue service is down'),
      });
    };
    await vi.waitFor(failed, { timeout: 10_000, interval: 100 });
    await expect(client.isActive(trigger)).rejects.toMatchObject(unavailable);
    expect((await client.getMetricSpec(trigger)).metricSpecs).toHaveLength(1);
  });

  it('18 with a hanging upstream every call still ends, and after the first wait none waits', async () => {
    const { client, service } = await startQueueScaler({ limits: { coldReadTimeoutMs: 50 } });
    service.queues.set('orders', { visible: 4, inFlight: 0 });
    service.hang = forever;
    await expect(client.isActive(ref('w', queue))).rejects.toMatchObject(unavailable);
    for (let call = 0; call < 20; call += 1) {
      await expect(client.getMetrics(ref('w', queue), '')).rejects.toMatchObject(unavailable);
    }
    expect(service.readsOf('orders')).toBe(1);
  });

  it('19 first call (cold cache): waits for the answer; concurrent first calls are 1 upstream query', async () => {
    const { client, service } = await startQueueScaler();
    service.queues.set('orders', { visible: 4, inFlight: 0 });
    let answer = (): void => {};
    service.hang = new Promise((resolve) => {
      answer = resolve;
    });
    const calls = Array.from({ length: 50 }, () => client.isActive(ref('w', queue)));
    await vi.waitFor(() => expect(service.readsOf('orders')).toBe(1));
    answer();
    expect(await Promise.all(calls)).toEqual(Array(50).fill({ result: true }));
    expect(service.readsOf('orders')).toBe(1);
  });

  it('20 N ScaledObjects on one source: upstream calls do not depend on N or on the RPC rate', async () => {
    const { client, service } = await startQueueScaler();
    service.queues.set('orders', { visible: 0, inFlight: 0 });
    await client.isActive(ref('w-0', queue));
    const reads = service.reads.length;
    for (let poll = 0; poll < 3; poll += 1) {
      const objects = Array.from({ length: 200 }, (_, index) => client.isActive(ref(`w-${index}`, queue)));
      await Promise.all(objects);
    }
    expect(service.reads.length).toBe(reads);
  });

  it('28 metadata change: independent state; the old state goes by itself, without a Close RPC', {
    timeout: 30_000,
  }, async () => {
    const { client, live } = await startQueueScaler({ limits: { leaseSeconds: 0.1 } });
    const held = client.streamIsActive(ref('w', { source: 'level', tank: 'water' }));
    await held.next();
    await client.isActive(ref('w', { source: 'level', tank: 'water', threshold: '5' }));
    expect(live.statuses()).toHaveLength(2);
    await vi.waitFor(() => expect(live.statuses()).toHaveLength(1), 20_000);
    expect(held.messages).toHaveLength(1);
  });

  it('22 an edge of a real trigger is pushed, by a hint, before any poll', async () => {
    const { client, service, live } = await startQueueScaler();
    service.queues.set('orders', { visible: 0, inFlight: 0 });
    const stream = client.streamIsActive(ref('w', queue));
    expect(await stream.next()).toEqual({ result: false });
    service.queues.set('orders', { visible: 9, inFlight: 0 });
    expect(live.hint('jobs', 'orders', 'webhook')).toBe(true);
    expect(await stream.next()).toEqual({ result: true });
  });

  it('22 a ledger says true before it knows the number', async () => {
    const ledger = new JobLedger();
    const { client } = await startScaler({ connections: [connectionOf('ci', ledgerSource, ledger)] });
    const trigger = ref('w', { source: 'ledger', repos: 'web' });
    const stream = client.streamIsActive(trigger);
    await vi.waitFor(() => expect(ledger.needed).toEqual([['web']]));
    ledger.queued('web');
    expect(await stream.next()).toEqual({ result: true });
    expect(await client.isActive(trigger)).toEqual({ result: true });
    await expect(client.getMetrics(trigger, '')).rejects.toMatchObject(unavailable);
    ledger.reconcile(['web'], performance.now());
    const known = async (): Promise<void> => {
      expect((await client.getMetrics(trigger, '')).metricValues[0]?.metricValueFloat).toBe(1);
    };
    await vi.waitFor(known);
  });
});
