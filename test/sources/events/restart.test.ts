import { createHmac } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { agedEventDir } from '../../support/event-store.ts';
import { ingest, postEvents, workEvent, workItems } from '../../support/events/event-posts.ts';
import { post } from '../../support/ingest.ts';
import { ref } from '../../support/rpc-client.ts';
import { WholeScaler } from '../../support/whole-scaler.ts';

const builds = { source: 'events', ttlSeconds: 3600, items: workItems };
const work = ref('agents', { source: 'events', backlog: 'work' });

const triggersShown = z.object({ triggers: z.array(z.looseObject({})) });

async function start(settings: object) {
  const scaler = await WholeScaler.start({ ingest, ...settings });
  let stopped = false;
  const stop = async () => {
    if (!stopped) await scaler.stop();
    stopped = true;
  };
  onTestFinished(stop);
  return { scaler, stop };
}

async function numberOf({ client }: WholeScaler) {
  return (await client.getMetrics(work, '')).metricValues[0]?.metricValueFloat;
}

it('items are known again after a restart, and finish as before', async () => {
  const settings = { eventLog: { type: 'file', dir: await agedEventDir('builds') }, connections: { builds } };
  const first = await start(settings);
  for (const key of ['a', 'b', 'c'])
    await postEvents(first.scaler.port('ingest'), workEvent('requested', key));
  await postEvents(first.scaler.port('ingest'), workEvent('done', 'a'));
  await first.stop();
  const { scaler } = await start(settings);
  expect(await numberOf(scaler)).toBe(2);
  await postEvents(scaler.port('ingest'), workEvent('requested', 'a'));
  await postEvents(scaler.port('ingest'), workEvent('done', 'b'));
  expect(await numberOf(scaler)).toBe(1);
});

it('an item from before a restart keeps its age', async () => {
  const settings = { eventLog: { type: 'file', dir: await agedEventDir('builds') }, connections: { builds } };
  const first = await start(settings);
  await postEvents(first.scaler.port('ingest'), workEvent('requested', 'a'));
  const queuedAtMs = performance.now();
  await first.stop();
  const { scaler } = await start(settings);
  await postEvents(scaler.port('ingest'), workEvent('requested', 'b'));
  expect(await numberOf(scaler)).toBe(2);
  const admin = `http://127.0.0.1:${scaler.port('admin')}`;
  const leastSeconds = (performance.now() - queuedAtMs) / 1000;
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  const [, age] =
    /^backlog_scaler_trigger_oldest_item_age_seconds\{.*,at_least="false"\} (.+)$/m.exec(metrics) ?? [];
  expect(Number(age)).toBeGreaterThan(leastSeconds);
  const { triggers } = triggersShown.parse(await (await fetch(`${admin}/api/triggers`)).json());
  expect(triggers).toMatchObject([{ value: 2, oldestItemAgeSeconds: expect.any(Number) }]);
  expect(triggers[0]).not.toHaveProperty('oldestItemAgeAtLeast');
});

it('a second scaler cannot have the same directory', async () => {
  const settings = { eventLog: { type: 'file', dir: await agedEventDir('builds') }, connections: { builds } };
  await start(settings);
  await expect(start(settings)).rejects.toThrow(/in use by another process/);
});

it('a reload opens the connection over the same log: nothing is lost, nothing counts twice', async () => {
  const settings = { eventLog: { type: 'file', dir: await agedEventDir('builds') }, connections: { builds } };
  const { scaler } = await start(settings);
  for (const key of ['a', 'b']) await postEvents(scaler.port('ingest'), workEvent('requested', key));
  expect(await numberOf(scaler)).toBe(2);
  await scaler.reload({ ...settings, ingest, connections: { builds: { ...builds, maxItems: 9 } } });
  await postEvents(scaler.port('ingest'), workEvent('requested', 'c'));
  await expect.poll(() => numberOf(scaler)).toBe(3);
});

it("GitHub's webhooks are known again after a restart, while GitHub is away", async () => {
  const secret = 'it is a long secret';
  // Nothing listens there.
  const github = { owner: 'acme', apiUrl: 'http://127.0.0.1:9', token: 't', webhookSecret: secret };
  const settings = {
    eventLog: { type: 'file', dir: await agedEventDir('builds') },
    limits: { firstSyncTimeoutSeconds: 1 },
    connections: { ci: { source: 'github', ...github } },
    security: { allowPlaintextSecrets: true },
  };
  const runners = ref('runners', { source: 'github' });
  const first = await start({ ...settings, ingest: { host: '127.0.0.1', port: 0 } });
  const job = { id: 7, run_id: 8, run_attempt: 1, status: 'queued', labels: ['self-hosted'] };
  const repository = { name: 'web', full_name: 'acme/web', owner: { login: 'acme' } };
  const body = JSON.stringify({ action: 'queued', workflow_job: job, repository });
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'workflow_job',
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  expect((await post(first.scaler.port('ingest'), { path: '/ingest/github/ci', body, headers })).status).toBe(
    202,
  );
  await first.stop();
  const { scaler } = await start({ ...settings, ingest: { host: '127.0.0.1', port: 0 } });
  await expect.poll(async () => (await scaler.client.isActive(runners)).result).toBe(true);
});
