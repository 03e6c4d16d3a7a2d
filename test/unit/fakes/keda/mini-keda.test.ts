import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { KedaTimings, Workload } from '../../../../fakes/keda/mini-keda.ts';
import { type KedaEvent, MiniKeda } from '../../../../fakes/keda/mini-keda.ts';
import { ScalerError } from '../../../../src/errors.ts';
import { FakeTriggers } from '../../../support/fake-triggers.ts';
import { startServer } from '../../../support/rpc.ts';

const never = 3_600_000;

class Deployment implements Workload {
  readonly history: number[] = [];
  replicas: number;

  constructor(replicas: number) {
    this.replicas = replicas;
  }

  scale(replicas: number): void {
    this.replicas = replicas;
    this.history.push(replicas);
  }
}

async function start(triggers: FakeTriggers, timings: Partial<KedaTimings>, replicas = 0) {
  const { port } = await startServer(triggers);
  const workload = new Deployment(replicas);
  const events: KedaEvent[] = [];
  const keda = new MiniKeda({
    address: `127.0.0.1:${port}`,
    reference: { namespace: 'demo', name: 'w', scalerMetadata: { target: '10' } },
    workload,
    timings: {
      pollingIntervalMs: never,
      cooldownPeriodMs: never,
      hpaSyncMs: never,
      downscaleStabilizationMs: 0,
      ...timings,
    },
    maxReplicaCount: 100,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => keda.stop());
  keda.start();
  const happened = (kind: KedaEvent['kind'], count = 1) =>
    vi.waitFor(() =>
      expect(events.filter((event) => event.kind === kind).length).toBeGreaterThanOrEqual(count),
    );
  return { workload, events, happened, keda };
}

describe('MiniKeda', () => {
  it('starts one replica when the stream says true, between polls', async () => {
    const triggers = new FakeTriggers();
    triggers.known('w', 0);
    const { workload, events, happened } = await start(triggers, {});
    await happened('answered');
    await happened('pushed');
    expect(workload.replicas).toBe(0);
    triggers.known('w', 50);
    await happened('scaled');
    expect(workload.history).toEqual([1]);
    expect(events.find(({ kind }) => kind === 'scaled')).toMatchObject({ by: 'push', because: 'activated' });
  });

  it('starts one replica at the poll that finds work', async () => {
    const triggers = new FakeTriggers();
    triggers.known('w', 50);
    const { workload, happened } = await start(triggers, {});
    await happened('scaled');
    expect(workload.history).toEqual([1]);
  });

  it('sizes by the value over the target, four and then at most twice as many in a sync', async () => {
    const triggers = new FakeTriggers();
    triggers.known('w', 95);
    const { workload } = await start(triggers, { hpaSyncMs: 5 }, 1);
    await vi.waitFor(() => expect(workload.replicas).toBe(10));
    expect(workload.history).toEqual([4, 8, 10]);
  });

  it('looks at once when the stream says another target, and only then', async () => {
    const triggers = new FakeTriggers();
    triggers.known('w', 95);
    const { workload, events, happened } = await start(triggers, {}, 1);
    await happened('answered');
    await vi.waitFor(() => expect(triggers.specFollowers).toBe(1));
    expect(workload.history).toEqual([]);
    for (const [target, replicas] of [
      [10.001, 4],
      [10, 8],
      [10.002, 10],
    ] as const) {
      triggers.retarget('w', target);
      await vi.waitFor(() => expect(workload.replicas).toBe(replicas));
    }
    expect(workload.history).toEqual([4, 8, 10]);
    expect(events.flatMap((event) => (event.kind === 'scaled' ? event.by : []))).toEqual(
      Array(3).fill('hpa change'),
    );
  });

  it('does not change the HPA if KEDA would print the same target', async () => {
    const triggers = new FakeTriggers();
    triggers.known('w', 95);
    const { events, happened } = await start(triggers, { hpaSyncMs: 5 }, 1);
    await vi.waitFor(() => expect(triggers.specFollowers).toBe(1));
    await happened('answered', 3);
    triggers.retarget('w', 10.0001);
    await happened('answered', 30);
    triggers.retarget('w', 10.001);
    await happened('rewritten');
    expect(events.filter(({ kind }) => kind === 'rewritten')).toHaveLength(1);
  });

  it('goes to zero after the cooldown, and not by a false from the stream', async () => {
    const triggers = new FakeTriggers();
    triggers.known('w', 5);
    const { workload, events, happened } = await start(
      triggers,
      { pollingIntervalMs: 5, cooldownPeriodMs: 100 },
      1,
    );
    await happened('answered');
    triggers.known('w', 0);
    await vi.waitFor(() => expect(workload.replicas).toBe(0));
    expect(events.find(({ kind }) => kind === 'scaled')).toMatchObject({
      by: 'poll',
      because: 'deactivated',
    });
  });

  it('leaves the replicas as they are while the scaler answers with an error', async () => {
    const triggers = new FakeTriggers();
    triggers.set('w', new ScalerError('unavailable', 'the broker is away'));
    const { workload, events, happened } = await start(
      triggers,
      { pollingIntervalMs: 5, cooldownPeriodMs: 0, hpaSyncMs: 5 },
      3,
    );
    await happened('failed', 4);
    expect(workload.history).toEqual([]);
    expect(events.find(({ kind }) => kind === 'failed')).toMatchObject({
      message: expect.stringContaining('the broker is away'),
    });
  });
});
