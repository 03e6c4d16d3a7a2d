import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { QueueService } from '../../support/hint-source.ts';
import { useHintedTriggers } from '../../support/hinted-triggers.ts';
import { type LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const hinted = useHintedTriggers();
let service: QueueService;
let live: LiveTriggers;

beforeEach(() => {
  ({ service, live } = hinted());
});

const metadata = { source: 'hinted', queue: 'orders', perReplica: '5', headroomReplicas: '3' };
const ask = (more: Record<string, string> = {}) => live.answer(referenceOf({ ...metadata, ...more }));

describe('a trigger with headroom', () => {
  it('asks for so many replicas more while it is active, and for none while it is not', async () => {
    service.queues.set('orders', { visible: 10, inFlight: 0 });
    expect(await ask()).toMatchObject({ kind: 'known', value: 25, active: true });
    service.queues.set('orders', { visible: 0, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await ask()).toMatchObject({ kind: 'known', value: 0, active: false });
  });

  it('asks for them before the first item too, where it is to', async () => {
    service.queues.set('orders', { visible: 0, inFlight: 0 });
    expect(await ask({ headroomWhenIdle: 'true' })).toMatchObject({ kind: 'known', value: 15, active: true });
    const [status] = [...live.statuses()];
    expect(status).toMatchObject({ active: true, detail: { headroomReplicas: 3 } });
  });

  it.each([
    // From 9.3e15 on the HPA reads 0 or less, and would scale to the minimum.
    [{ perReplica: '9e12', headroomReplicas: '1000' }, Number.MAX_SAFE_INTEGER, 9e15],
    // Before Kubernetes 1.34, more replicas than fit into an int32 did the same.
    [{ perReplica: '0.1' }, 1e12, 200_000_000],
    [{ policy: 'drain', drainSeconds: '1', replicaRate: '0.00001' }, 1e12, 2e9],
  ])('asks for no more than an HPA can count: %o at %d items', async (more, visible, value) => {
    service.queues.set('orders', { visible, inFlight: 0 });
    const given: Record<string, string> = more;
    const asking = () => ask(given);
    await asking().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await asking()).toMatchObject({ kind: 'known', active: true, value: expect.closeTo(value, 6) });
  });

  it('counts replicas by the target that KEDA prints, in thousandths', async () => {
    service.queues.set('orders', { visible: 10, inFlight: 0 });
    const reference = referenceOf({ ...metadata, perReplica: '33.3333' });
    expect(await live.answer(reference)).toMatchObject({ value: 109.999 });
    expect(live.trigger(reference).spec.target.perReplica).toBe(33.333);
    expect(live.trigger(referenceOf({ ...metadata, perReplica: '0.0004' })).spec.target.perReplica).toBe(
      0.001,
    );
  });

  it('is unknown where its backlog is: no headroom makes a number', async () => {
    service.faults.set('orders', new ScalerError('unavailable', 'down'));
    await expect(ask({ headroomWhenIdle: 'true' })).rejects.toThrow('down');
  });

  it('shares its subject with one that has none', async () => {
    service.queues.set('orders', { visible: 10, inFlight: 0 });
    const [with3, with0] = await Promise.all([ask(), ask({ headroomReplicas: '0' })]);
    expect([with3, with0]).toMatchObject([{ value: 25 }, { value: 10 }]);
    expect(service.readsOf('orders')).toBe(1);
  });

  it.each([
    [{ headroomReplicas: '-1' }, /headroomReplicas: /],
    [{ headroomReplicas: '1001' }, /headroomReplicas: /],
    [{ headroomReplicas: '0', headroomWhenIdle: 'true' }, /headroomWhenIdle: needs headroomReplicas/],
  ])('is refused where it makes no sense: %o', async (more, fault) => {
    await expect(ask(more)).rejects.toThrow(fault);
  });
});
