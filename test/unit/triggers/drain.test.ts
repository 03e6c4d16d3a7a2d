import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { settleMs } from '../../../src/scaling/drain.ts';
import { hintSource, type QueueService } from '../../support/hint-source.ts';
import { useHintedTriggers } from '../../support/hinted-triggers.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const hinted = useHintedTriggers();
let service: QueueService;
let live: LiveTriggers;

beforeEach(() => {
  ({ service, live } = hinted());
});

const metadata = {
  source: 'hinted',
  queue: 'orders',
  policy: 'drain',
  drainSeconds: '60',
  replicaRate: '10',
};
const ask = (more: Record<string, string> = {}) => live.answer(referenceOf({ ...metadata, ...more }));
const waiting = (visible: number) => service.queues.set('orders', { visible, inFlight: 0 });
/** Reads that show arrivals, because the source of these tests does not count them. */
const settled = async () => {
  await ask();
  await vi.advanceTimersByTimeAsync(settleMs + 30_000);
};

describe('a trigger under policy: drain', () => {
  it('shows at once whether work exists, and the number of replicas once it has seen arrivals', async () => {
    waiting(6_000);
    expect(await ask()).toMatchObject({
      kind: 'uncounted',
      active: true,
      why: expect.stringContaining('15 s'),
    });
    const [early] = [...live.statuses()];
    expect(early).toMatchObject({ items: 6_000, active: true, up: false, target: 1 });
    expect(early).not.toHaveProperty('value');
    expect(early).not.toHaveProperty('desired');
    await settled();
    expect(await ask()).toMatchObject({ kind: 'known', value: 10, active: true });
    const [status] = [...live.statuses()];
    expect(status).toMatchObject({
      items: 6_000,
      value: 10,
      desired: 10,
      target: 1,
      up: true,
      drain: { desired: 10, replicaRate: 10, learned: false, expectedWaitSeconds: 60 },
      detail: { replicas: 10, because: 'need', replicaRate: 10, expectedWaitSeconds: 60 },
    });
  });

  it('is not active without items, before and after', async () => {
    waiting(0);
    expect(await ask()).toMatchObject({ kind: 'uncounted', active: false });
    await settled();
    expect(await ask()).toMatchObject({ kind: 'known', value: 0, active: false });
  });

  it('adds headroom to its replicas', async () => {
    waiting(6_000);
    const more = { headroomReplicas: '2' };
    await ask(more);
    await vi.advanceTimersByTimeAsync(settleMs + 30_000);
    expect(await ask(more)).toMatchObject({ value: 12 });
    waiting(0);
    await vi.advanceTimersByTimeAsync(400_000);
    expect(await ask({ ...more, headroomWhenIdle: 'true' })).toMatchObject({ active: true });
  });

  it('removes replicas when they are no longer needed, even if only the clock shows that', async () => {
    waiting(6_000);
    await settled();
    waiting(0);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await ask()).toMatchObject({ value: 10 });
    await vi.advanceTimersByTimeAsync(150_000);
    expect(await ask()).toMatchObject({ value: 0 });
  });

  it('knows nothing while its source is down, and is where it was when that is back', async () => {
    waiting(6_000);
    await settled();
    service.faults.set('orders', new ScalerError('unavailable', 'down'));
    await vi.advanceTimersByTimeAsync(300_000);
    await expect(ask()).rejects.toThrow('down');
    service.faults.delete('orders');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await ask()).toMatchObject({ value: 10 });
  });

  it('counts no failure until it has settled', async () => {
    waiting(5);
    const decided: string[] = [];
    const told = new LiveTriggers([connectionOf('queues', hintSource, service)], {
      decided: ({ kind }) => decided.push(kind),
    });
    await told.answer(referenceOf(metadata));
    await vi.advanceTimersByTimeAsync(settleMs + 30_000);
    expect(decided).toEqual(['activated']);
    await told.close();
  });
});

describe('parameters of policy: drain', () => {
  it.each([
    [{ drainSeconds: '' }, /policy: drain needs drainSeconds/],
    [{ replicaRate: '' }, /policy: drain needs replicaRate/],
    [{ policy: 'backlog' }, /drainSeconds: needs policy: drain; replicaRate: needs policy: drain/],
    [{ policy: '' }, /drainSeconds: needs policy: drain/],
    [{ fallbackReplicaRate: '3' }, /fallbackReplicaRate: is for replicaRate: learn/],
    [{ replicaRate: 'learn' }, /replicaRate: learn needs fallbackReplicaRate/],
    [
      { replicaRate: 'learn', fallbackReplicaRate: '3' },
      /replicaRate: learn: hinted does not show how fast consumers are.*give the items a second/,
    ],
    [{ replicaRate: 'fast' }, /replicaRate: must be learn, or a number of at least 0.00001/],
    [{ replicaRate: '0' }, /replicaRate: must be learn, or a number/],
    [{ drainSeconds: '0.5' }, /drainSeconds: must be a number of at least 1/],
    [{ drainSeconds: '100000' }, /drainSeconds: must be a number of at least 1 and of at most 86400/],
    [{ drainSecond: '60' }, /"drainSecond".*did you mean "drainSeconds"\?/],
  ])('are refused: %o', async (more, fault) => {
    await expect(ask(more)).rejects.toThrow(fault);
  });
});
