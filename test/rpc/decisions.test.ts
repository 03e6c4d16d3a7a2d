import { credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { configSchema, settingsOf } from '../../src/config/schema.ts';
import { ScalerError } from '../../src/errors.ts';
import { Scaler } from '../../src/scaler.ts';
import { DecisionSink, status } from '../support/decision-sink.ts';
import { hintSource, QueueService } from '../support/hint-source.ts';
import { byName, connectionOf } from '../support/live-triggers.ts';
import { recordingLog } from '../support/recording-log.ts';
import { ref, TestClient } from '../support/rpc-client.ts';

const wait = { timeout: 15_000, interval: 20 };
const server = { host: '127.0.0.1', port: 0 };
const token = 'a-token-of-the-tests';
const orders = ref('orders-worker', { source: 'hinted', queue: 'orders', maxStalenessSeconds: '2' });

/** The whole scaler over queues of the test, with a sink for its decisions. */
async function start(more: object = {}) {
  const sink = await DecisionSink.start();
  onTestFinished(() => sink.stop());
  const service = new QueueService();
  const log = recordingLog();
  const { start, live: settings } = settingsOf(
    configSchema.parse({
      grpc: server,
      admin: server,
      ingest: { ...server, tokens: [{ name: 'tests', token, connections: ['jobs'] }] },
      decisions: { sink: sink.url, flushMs: 10, ...more },
      connections: {},
    }),
  );
  const config = { settings, connections: byName([connectionOf('jobs', hintSource, service)]) };
  const loaded = {
    kind: 'loaded',
    config,
    start,
    tls: 'none',
    guards: new Map(),
    stamps: new Map(),
  } as const;
  const scaler = new Scaler({
    sources: [hintSource],
    loaded,
    load: async () => loaded,
    log,
  });
  await scaler.start();
  onTestFinished(() => scaler.stop('the test is over'));
  const port = (name: string): number => {
    const line = log.lines.find(({ fields }) => 'server' in fields && fields.server === name);
    return Number(line && 'port' in line.fields && line.fields.port);
  };
  const client = new TestClient(`127.0.0.1:${port('grpc')}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const hint = () =>
    fetch(`http://127.0.0.1:${port('ingest')}/ingest/hint/jobs/orders`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
  const lines = () => log.lines.filter(({ message }) => message === 'decision');
  return { sink, service, log, scaler, client, hint, lines };
}

const told = (sink: DecisionSink) =>
  sink.events.map(({ type, data }) => `${type.split('.').at(-1)} (${data?.cause})`);

describe('decisions of the whole scaler', () => {
  it('go to the sink and the log: woken by a hint, failing by age, recovered by a read, let go', async () => {
    const { sink, service, client, hint, lines } = await start();
    service.queues.set('orders', { visible: 0, inFlight: 0 });
    expect(await client.isActive(orders)).toEqual({ result: false });

    service.queues.set('orders', { visible: 7, inFlight: 0 });
    expect((await hint()).status).toBe(202);
    await vi.waitFor(() => expect(told(sink)).toEqual(['activated (hint)']), wait);

    service.faults.set('orders', new ScalerError('unavailable', 'the queue service is down'));
    await vi.waitFor(() => expect(told(sink).slice(1)).toEqual(['failing (clock)']), wait);
    const failure = await client.getMetrics(orders, '').catch((error: unknown) => error);
    expect(failure).toMatchObject({ details: expect.stringContaining('the queue service is down') });

    service.faults.clear();
    await vi.waitFor(() => expect(told(sink).slice(2)).toEqual(['recovered (clock)']), wait);
    const { metricValues } = await client.getMetrics(orders, '');
    expect(metricValues[0]?.metricValueFloat).toBe(7);

    service.queues.set('orders', { visible: 0, inFlight: 0 });
    await vi.waitFor(() => expect(told(sink).slice(3)).toEqual(['deactivated (clock)']), wait);

    expect(sink.events.map(({ data }) => data?.value)).toEqual([7, undefined, 7, 0]);
    expect(sink.events[1]?.data?.error).toMatch(
      /^hinted trigger of shop\/orders-worker: the last good reading is \d+ s old.*: the queue service is down$/,
    );
    expect(lines().map(({ level }) => level)).toEqual(['info', 'warn', 'info', 'info']);
    const logged = lines().map(({ fields }) => fields);
    expect(logged).toEqual(sink.events.map(({ data, time }) => ({ at: time, ...data })));
    const text = JSON.stringify([logged, sink.events]);
    expect(text).not.toContain(token);
    expect(new Set(sink.events.map(({ subject }) => subject))).toEqual(new Set(['shop/orders-worker']));
  });

  it('are posted at the end even if no batch is full', async () => {
    const { sink, service, client, scaler } = await start({ flushMs: 3_600_000 });
    service.queues.set('orders', { visible: 1, inFlight: 0 });
    await client.isActive(orders);
    expect(sink.requests).toEqual([]);
    await scaler.stop('SIGTERM');
    expect(told(sink)).toEqual(['activated (start)']);
  });

  it('of a sink that hangs or fails keep no answer and no edge', async () => {
    const { sink, service, client, hint } = await start();
    sink.behave = [() => {}];
    service.queues.set('orders', { visible: 0, inFlight: 0 });
    service.queues.set('other', { visible: 1, inFlight: 0 });
    const stream = client.streamIsActive(orders);
    expect(await stream.next()).toEqual({ result: false });
    await client.isActive(ref('other', { source: 'hinted', queue: 'other' }));
    await vi.waitFor(() => expect(sink.requests).toHaveLength(1), wait);
    service.queues.set('orders', { visible: 7, inFlight: 0 });
    await hint();
    expect(await stream.next()).toEqual({ result: true });
    expect((await client.getMetrics(orders, '')).metricValues[0]?.metricValueFloat).toBe(7);
    expect(sink.requests).toHaveLength(1);
  });

  it('are counted in the metrics', async () => {
    const { sink, service, client, scaler } = await start({ batchSize: 1, maxQueued: 2 });
    sink.behave = [status(503)];
    for (const name of ['a', 'b', 'c', 'd']) {
      service.queues.set(name, { visible: 1, inFlight: 0 });
      await client.isActive(ref(name, { source: 'hinted', queue: name }));
    }
    await vi.waitFor(async () => {
      const text = await scaler.metrics.exposition();
      expect(text).toMatch(/^backlog_scaler_decisions_sent_total\{outcome="failed"\} [1-9]/m);
      expect(text).toContain('backlog_scaler_decisions_dropped_total{to="sink"} 2');
    }, wait);
  });
});
