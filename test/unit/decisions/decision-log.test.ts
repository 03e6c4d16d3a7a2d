import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DecisionLog } from '../../../src/decisions/decision-log.ts';
import { decisionWith } from '../../support/decision.ts';
import { recordingLog } from '../../support/recording-log.ts';

it('writes a line each, after the turn that decided', async () => {
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

it('lets others have their turn when thousands are decided at once', async () => {
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

it('writes what waits when it is flushed, once', async () => {
  const log = recordingLog();
  const lines = new DecisionLog(log, () => {});
  for (let i = 0; i < 1_000; i += 1) lines.take(decisionWith());
  lines.flush();
  expect(log.lines).toHaveLength(1_000);
  await nextTurn();
  expect(log.lines).toHaveLength(1_000);
});

it('is bounded, and counts what it drops', async () => {
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
