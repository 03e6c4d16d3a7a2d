import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { byScaler } from '../../src/cli/asking.ts';
import { agedEventDir } from '../support/event-store.ts';
import { ingest, postEvents, workEvent, workItems } from '../support/events/event-posts.ts';
import { surge } from '../support/live-triggers.ts';
import { rawCall, rawConnection } from '../support/raw-rpc.ts';
import { ref, type TestClient } from '../support/rpc-client.ts';
import { startQueueScaler } from '../support/scaler.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const boiler = ref('boiler', { source: 'level', tank: 'boiler' });
const metric = 'level-boiler';

/** The targets that a stream has sent. */
function targets(stream: ReturnType<TestClient['streamMetricSpec']>): (number | undefined)[] {
  return stream.messages.map(({ metricSpecs: [spec] }) => spec?.targetSizeFloat);
}

describe('a backlog that grows', () => {
  it('gets `true` first, then another target for each GetMetrics, and in the end the exact one', async () => {
    const { client, tanks } = await startQueueScaler();
    const order: string[] = [];
    const activity = client.streamIsActive(boiler);
    const spec = client.streamMetricSpec(boiler);
    expect(await activity.next()).toEqual({ result: false });
    expect((await spec.next()).metricSpecs).toMatchObject([{ targetSizeFloat: 10, targetSize: '10' }]);
    await client.getMetrics(boiler, metric);
    void activity.next().then(() => order.push('true'));
    tanks.set('boiler', 200);
    for (const nudged of [10.001, 10.002, 10.001, 10.002]) {
      const { metricSpecs } = await spec.next();
      // A reader of the integer sees no nudges.
      expect(metricSpecs).toMatchObject([{ metricName: metric, targetSizeFloat: nudged, targetSize: '10' }]);
      order.push(`${nudged}`);
      expect((await client.getMetricSpec(boiler)).metricSpecs).toMatchObject([{ targetSizeFloat: 10 }]);
      await client.getMetrics(boiler, metric);
    }
    expect((await spec.next()).metricSpecs).toMatchObject([{ targetSizeFloat: 10 }]);
    expect(order).toEqual(['true', '10.001', '10.002', '10.001', '10.002']);
  });

  it('sends nothing to a client without StreamMetricSpec', async () => {
    const { client, tanks, live } = await startQueueScaler();
    const activity = client.streamIsActive(boiler);
    await activity.next();
    await client.getMetrics(boiler, metric);
    tanks.set('boiler', 200);
    expect(await activity.next()).toEqual({ result: true });
    expect(live.triggers.nudges.waiting).toBe(0);
  });

  it('waits as one message, the newest, on a stream that nobody reads', async () => {
    const { client, tanks, live, port, server } = await startQueueScaler();
    await client.streamIsActive(boiler).next();
    const session = await rawConnection(port, 0);
    const unread = rawCall(session, 'StreamMetricSpec', boilerBytes);
    await vi.waitFor(() => expect(server.openStreams).toBe(2));
    await client.getMetrics(boiler, metric);
    tanks.set('boiler', 20_000);
    const trigger = live.trigger({
      namespace: 'shop',
      name: 'boiler',
      metadata: boiler.scalerMetadata ?? {},
    });
    await vi.waitFor(() => expect(trigger.surges.surge?.on).toBe(true));
    // The HPA looks by its own clock again and again.
    await vi.waitFor(async () => {
      await client.getMetrics(boiler, metric);
      expect(trigger.surges.surge?.on).toBe(false);
    });
    expect(trigger.surges.surge?.nudges).toBeGreaterThan(1);
    session.settings({ initialWindowSize: 65_535 });
    await vi.waitFor(() => expect(unread.messages().length).toBeGreaterThan(1));
    // The exact target at the opening, and at the end.
    expect(new Set(unread.messages().map((message) => message.toString('hex'))).size).toBe(1);
    expect(unread.messages()).toHaveLength(2);
  });

  it('leaves nothing behind if the stream ends between nudge and answer', async () => {
    const { client, tanks, live, server } = await startQueueScaler();
    const spec = client.streamMetricSpec(boiler);
    await client.streamIsActive(boiler).next();
    await spec.next();
    await client.getMetrics(boiler, metric);
    tanks.set('boiler', 200);
    await spec.next();
    spec.cancel();
    await vi.waitFor(() => expect(server.openStreams).toBe(1));
    expect(live.triggers.nudges.waiting).toBe(0);
    // KEDA opens it again. The exact target comes first.
    const again = client.streamMetricSpec(boiler);
    expect((await again.next()).metricSpecs).toMatchObject([{ targetSizeFloat: 10 }]);
  });
});

it('who explains a trigger asks like KEDA, and is no sign of other pods', async () => {
  const { live, port } = await startQueueScaler();
  const asker = await byScaler(`127.0.0.1:${port}`, {});
  onTestFinished(() => asker.close());
  const reference = { namespace: 'shop', name: 'boiler', metadata: boiler.scalerMetadata ?? {} };
  expect(await asker.ask(reference)).toMatchObject({ active: false, value: 0, target: 10 });
  expect(live.triggers.others.areCalled).toBe(false);
});

// ns "shop", name "boiler", metadata source=level, tank=boiler.
const boilerBytes = Buffer.from(
  '0a06626f696c6572120473686f701a0f0a06736f7572636512056c6576656c1a0e0a0474616e6b1206626f696c6572',
  'hex',
);

describe('the scaler as `serve` wires it', () => {
  const settings = (dir: string, more: object = {}) => ({
    ingest,
    eventLog: { type: 'file', dir },
    surge: { ...surge, ...more },
    connections: { builds: { source: 'events', ttlSeconds: 3600, items: workItems } },
  });
  const work = ref('worker', { source: 'events', connection: 'builds', backlog: 'work' });

  async function start(more: object = {}) {
    const dir = await agedEventDir('builds');
    const scaler = await WholeScaler.start(settings(dir, more));
    onTestFinished(() => scaler.stop());
    let posted = 0;
    const post = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        posted += 1;
        await postEvents(scaler.port('ingest'), workEvent('requested', `item-${posted}`));
      }
    };
    return { scaler, client: scaler.client, post, turnOn: () => scaler.reload(settings(dir)) };
  }

  it('makes the HPA look, and reports it: a decision, /metrics and /api/triggers', async () => {
    const { scaler, client, post } = await start();
    const spec = client.streamMetricSpec(work);
    await client.streamIsActive(work).next();
    const { metricSpecs } = await spec.next();
    const name = metricSpecs[0]?.metricName ?? '';
    await client.getMetrics(work, name);
    await post(20);
    await vi.waitFor(async () => {
      if (targets(spec).at(-1) !== 1) await client.getMetrics(work, name);
      const surged = scaler.log.lines.find(
        ({ fields }) => 'decision' in fields && fields.decision === 'surged',
      );
      expect(surged?.fields).toMatchObject({ name: 'worker', surge: { to: 20 } });
    });
    expect(targets(spec)).toContain(1.001);
    // The decision may be logged before the exact target arrives.
    await vi.waitFor(() => expect(targets(spec).at(-1)).toBe(1));
    const admin = `http://127.0.0.1:${scaler.port('admin')}`;
    const page = await (await fetch(`${admin}/metrics`)).text();
    expect(page).toMatch(/backlog_scaler_nudges_total\{outcome="answered"\} [1-9]/);
    expect(page).toMatch(/backlog_scaler_growth_told_seconds_count\{by="nudge"\} [1-9]/);
    expect(await (await fetch(`${admin}/api/triggers`)).json()).toMatchObject({
      triggers: [{ name: 'worker', target: 1, surge: 'ready' }],
    });
  });

  it('is turned off and on while it runs', async () => {
    const { scaler, client, post, turnOn } = await start({ enabled: false });
    const state = async () => {
      const response = await fetch(`http://127.0.0.1:${scaler.port('admin')}/api/triggers`);
      return response.json();
    };
    const spec = client.streamMetricSpec(work);
    await client.streamIsActive(work).next();
    await spec.next();
    await client.getMetrics(work, '');
    await post(20);
    await vi.waitFor(async () =>
      expect(await state()).toMatchObject({ triggers: [{ value: 20, surge: 'off' }] }),
    );
    await client.getMetrics(work, '');
    await turnOn();
    expect(targets(spec)).toEqual([1]);
    await post(20);
    await vi.waitFor(() => expect(targets(spec).length).toBeGreaterThan(1));
  });
});
