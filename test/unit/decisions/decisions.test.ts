import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { DecisionLog, Decisions } from '../../../src/decisions/decisions.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { decisionWith } from '../../support/decision.ts';
import { DecisionSink } from '../../support/decision-sink.ts';
import { recordingLog } from '../../support/recording-log.ts';

const settings = (decisions: object) => configSchema.parse({ connections: {}, decisions }).decisions;

it('are posted once a sink is set, and waiting ones are still posted when it is removed', async () => {
  const sink = await DecisionSink.start();
  onTestFinished(() => sink.stop());
  const log = recordingLog();
  const decisions = new Decisions(settings({}), { log, metrics: new Metrics() });
  const take = (name: string): void => decisions.take(decisionWith({}, name));
  take('before');
  decisions.use(settings({ sink: sink.url, flushMs: 3_600_000 }));
  take('with-a-sink');
  decisions.use(settings({ sink: sink.url, flushMs: 3_600_000 }));
  // Nothing has changed, so nothing is posted before flushMs.
  await sleep(100);
  expect(sink.requests).toEqual([]);
  decisions.use(settings({}));
  take('after');
  await vi.waitFor(() => expect(sink.events.map(({ subject }) => subject)).toEqual(['shop/with-a-sink']));
  await decisions.close(1_000);
  expect(log.lines.map(({ fields }) => 'name' in fields && fields.name)).toEqual([
    'before',
    'with-a-sink',
    'after',
  ]);
  expect(sink.requests).toHaveLength(1);
});

it('the log gets a line for each, after the turn that decided', async () => {
  const log = recordingLog();
  const lines = new DecisionLog(log, () => {});
  lines.take(decisionWith());
  lines.take(
    decisionWith({ kind: 'failing', cause: 'clock', value: undefined, ageMs: 60_123.4, error: 'down' }),
  );
  lines.take(decisionWith({ kind: 'failing', value: undefined, ageMs: undefined, lastedMs: undefined }));
  expect(log.lines).toEqual([]);
  await nextTurn();
  const common = {
    at: '2026-01-15T09:30:00.250Z',
    namespace: 'shop',
    name: 'orders-worker',
    trigger: '9f2c5a0b7d31',
    source: 'kafka',
    connection: 'orders',
    metric: 'kafka-workers-orders',
    target: 10,
    activation: 0,
  };
  expect(log.lines).toStrictEqual([
    {
      level: 'info',
      message: 'decision',
      fields: { ...common, decision: 'activated', cause: 'watch', value: 42, ageMs: 4, lastedMs: 86_400_000 },
    },
    {
      level: 'warn',
      message: 'decision',
      fields: {
        ...common,
        decision: 'failing',
        cause: 'clock',
        ageMs: 60_123,
        lastedMs: 86_400_000,
        error: 'down',
      },
    },
    { level: 'warn', message: 'decision', fields: { ...common, decision: 'failing', cause: 'watch' } },
  ]);
});

it('the log gives others their turn when thousands are decided at once', async () => {
  const log = recordingLog();
  const lines = new DecisionLog(log, () => {});
  for (let i = 0; i < 10_000; i += 1) lines.take(decisionWith({}, `worker-${i}`));
  await nextTurn();
  expect(log.lines.length).toBeGreaterThan(0);
  expect(log.lines.length).toBeLessThan(200);
  while (log.lines.length < 10_000) await nextTurn();
  expect(log.lines.map(({ fields }) => 'name' in fields && fields.name)).toEqual(
    Array.from({ length: 10_000 }, (_, i) => `worker-${i}`),
  );
});

it('the log writes waiting lines when it is flushed, once', async () => {
  const log = recordingLog();
  const lines = new DecisionLog(log, () => {});
  for (let i = 0; i < 1_000; i += 1) lines.take(decisionWith());
  lines.flush();
  expect(log.lines).toHaveLength(1_000);
  await nextTurn();
  expect(log.lines).toHaveLength(1_000);
});

it('the log is bounded, and counts dropped lines', async () => {
  const log = recordingLog();
  let dropped = 0;
  const lines = new DecisionLog(log, (decisions) => {
    dropped += decisions;
  });
  for (let i = 0; i < 50_010; i += 1) lines.take(decisionWith());
  lines.flush();
  expect(dropped).toBe(10);
  expect(log.lines).toHaveLength(50_000);
});
