import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { Decisions } from '../../../src/decisions/decisions.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { decisionWith } from '../../support/decision.ts';
import { DecisionSink } from '../../support/decision-sink.ts';
import { recordingLog } from '../../support/recording-log.ts';

const settings = (decisions: object) => configSchema.parse({ connections: {}, decisions }).decisions;

it('are posted once there is a sink, and what waits when it goes is posted still', async () => {
  const sink = await DecisionSink.start();
  onTestFinished(() => sink.stop());
  const log = recordingLog();
  const decisions = new Decisions(settings({}), { log, metrics: new Metrics() });
  const take = (name: string): void => decisions.take(decisionWith({}, name));
  take('before');
  decisions.use(settings({ sink: sink.url, flushMs: 3_600_000 }));
  take('with-a-sink');
  decisions.use(settings({ sink: sink.url, flushMs: 3_600_000 }));
  // Nothing has changed: there is no reason to post before flushMs.
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
