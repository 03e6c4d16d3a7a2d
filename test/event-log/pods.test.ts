import { startFauxqs } from 'fauxqs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { TcpProxy } from '../../fakes/tcp-proxy.ts';
import { ingest, postEvents, workEvent, workItems } from '../support/events/event-posts.ts';
import { app, patient, secret } from '../support/github-scaler.ts';
import { jobPayload, send } from '../support/github-webhooks.ts';
import { post } from '../support/ingest.ts';
import { agedStream, newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { ref } from '../support/rpc-client.ts';
import { region } from '../support/sqs/region.ts';
import { TestQueues } from '../support/sqs/test-queues.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const nats = useNats();

async function startPod(settings: object, files: Readonly<Record<string, string>> = {}) {
  const pod = await WholeScaler.start(settings, files);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= pod.stop();
    return stopping;
  };
  onTestFinished(stop);
  return { pod, stop };
}

async function readyz(pod: WholeScaler): Promise<number> {
  return (await fetch(`http://127.0.0.1:${pod.port('admin')}/readyz`)).status;
}

const work = ref('agents', { source: 'events', backlog: 'work' });
const builds = { source: 'events', ttlSeconds: 3600, items: workItems };

async function numberOf({ client }: WholeScaler, trigger = work) {
  return (await client.getMetrics(trigger, '')).metricValues[0]?.metricValueFloat;
}

function eventsOf(stream: string, more: object = {}) {
  return {
    ingest,
    eventLog: { type: 'nats', servers: nats().urls, stream, ...more },
    connections: { builds },
  };
}

it('a work item sent to one pod is a number in the other, and in one that comes later', async () => {
  const stream = newStream();
  await agedStream(nats().urls, stream, ['builds']);
  const [a, b] = await Promise.all([startPod(eventsOf(stream)), startPod(eventsOf(stream))]);
  await expect.poll(() => readyz(b.pod)).toBe(200);
  expect(await numberOf(b.pod)).toBe(0);
  for (const key of ['x', 'y', 'z']) {
    expect(await postEvents(a.pod.port('ingest'), workEvent('requested', key))).toBe(202);
  }
  expect(await numberOf(a.pod)).toBe(3);
  await expect.poll(() => numberOf(b.pod)).toBe(3);
  await postEvents(b.pod.port('ingest'), workEvent('done', 'x'));
  await expect.poll(() => numberOf(a.pod)).toBe(2);
  await a.stop();
  const c = await startPod(eventsOf(stream));
  await expect.poll(() => readyz(c.pod)).toBe(200);
  expect(await numberOf(c.pod)).toBe(2);
});

it('a pod that is cut off keeps its number, and what it receives itself only wakes', async () => {
  const proxy = await TcpProxy.start(() => Number(new URL(nats().urls[0] ?? '').port));
  onTestFinished(() => proxy.close());
  const stream = newStream();
  await agedStream(nats().urls, stream, ['builds']);
  const [requested, done] = ['requested', 'done'].map((word) => `com.example.rest.${word}`);
  const rest = [
    { backlog: 'rest', type: requested, state: 'queued', key: 'subject' },
    { backlog: 'rest', type: done, state: 'finished', key: 'subject' },
  ];
  const connections = { builds: { ...builds, items: [...workItems, ...rest] } };
  const through = { servers: [`nats://127.0.0.1:${proxy.port}`] };
  const [{ pod: near }, { pod: far }] = await Promise.all([
    startPod({ ...eventsOf(stream), connections }),
    startPod({ ...eventsOf(stream, through), connections }),
  ]);
  const resting = ref('sleepers', { source: 'events', backlog: 'rest' });
  for (const key of ['x', 'y', 'z']) await postEvents(near.port('ingest'), workEvent('requested', key));
  for (const pod of [near, far]) {
    await expect.poll(() => numberOf(pod).catch(String)).toBe(3);
    await expect.poll(() => numberOf(pod, resting).catch(String)).toBe(0);
  }
  const { messages } = far.client.streamIsActive(resting);
  await expect.poll(() => messages.at(-1)?.result).toBe(false);

  proxy.become('silent');
  // What ends here and what begins elsewhere would make a zero that never was.
  for (const key of ['x', 'y', 'z'])
    expect(await postEvents(far.port('ingest'), workEvent('done', key))).toBe(202);
  for (const key of ['v', 'w']) await postEvents(near.port('ingest'), workEvent('requested', key));
  expect(await postEvents(far.port('ingest'), workEvent('requested', 'r', 'rest'))).toBe(202);
  await expect.poll(() => messages.at(-1)?.result).toBe(true);
  const answers = new Set<unknown>();
  await expect
    .poll(async () => {
      answers.add(await numberOf(far));
      return far.log.lines.map(({ message }) => message).join();
    })
    .toContain('NATS is away');
  expect([...answers]).toEqual([3]);
  expect(await numberOf(near)).toBe(5);
  expect(await numberOf(near, resting)).toBe(0);
  await expect(numberOf(far, resting)).rejects.toThrow(/1 items by events so far; .*NATS/);

  proxy.become('passing');
  for (const pod of [near, far]) {
    await expect.poll(() => numberOf(pod)).toBe(2);
    await expect.poll(() => numberOf(pod, resting).catch(String)).toBe(1);
  }
});

it('a stream is new: the number is unknown for ttlSeconds, but activity is known', async () => {
  const { pod } = await startPod(eventsOf(newStream()));
  await expect.poll(() => readyz(pod)).toBe(200);
  await expect(numberOf(pod)).rejects.toThrow(/the event log is new to this connection/);
  await postEvents(pod.port('ingest'), workEvent('requested', 'x'));
  expect((await pod.client.isActive(work)).result).toBe(true);
});

it("GitHub's webhook to one pod is the right number in the other", async () => {
  const github = await FakeGitHub.start({ owner: 'acme', app });
  onTestFinished(() => github.close());
  github.addRepo('web');
  const ci = {
    source: 'github',
    owner: 'acme',
    apiUrl: github.url,
    app: { id: github.app?.id, privateKeyFile: 'app.pem' },
    webhookSecretFile: 'webhook-secret',
    ...patient,
  };
  const settings = {
    ingest: { host: '127.0.0.1', port: 0 },
    eventLog: { type: 'nats', servers: nats().urls, stream: newStream() },
    security: { allowPlaintextSecrets: true },
    connections: { ci },
  };
  const files = { 'app.pem': github.app?.privateKey ?? '', 'webhook-secret': secret };
  const [a, b] = await Promise.all([startPod(settings, files), startPod(settings, files)]);
  const runners = ref('runners', { source: 'github', connection: 'ci' });
  await expect.poll(() => readyz(b.pod)).toBe(200);
  await expect.poll(() => numberOf(b.pod, runners)).toBe(0);
  const { messages } = b.pod.client.streamIsActive(runners);
  for (const id of [1, 2, 3]) {
    expect((await send(a.pod.port('ingest'), jobPayload('queued', { id }))).status).toBe(202);
  }
  await expect.poll(() => numberOf(b.pod, runners)).toBe(3);
  await expect.poll(() => messages.at(-1)?.result).toBe(true);
  await send(b.pod.port('ingest'), jobPayload('completed', { id: 1, status: 'completed' }));
  await expect.poll(() => numberOf(a.pod, runners)).toBe(2);
});

it('a hint to one pod makes the other look', async () => {
  const server = await startFauxqs({ port: 0, logger: false, defaultRegion: region });
  onTestFinished(() => server.stop());
  const queues = new TestQueues(server.address);
  onTestFinished(() => queues.close());
  const token = 'a-token-for-whoever-may-wake-queues';
  const settings = {
    ingest: {
      host: '127.0.0.1',
      port: 0,
      tokens: [{ name: 'producers', token, connections: ['jobs'] }],
    },
    eventLog: { type: 'nats', servers: nats().urls, stream: newStream() },
    security: { allowPlaintextSecrets: true },
    connections: {
      jobs: {
        source: 'sqs',
        region,
        endpoint: server.address,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        idleReadSeconds: 7200,
        activeReadSeconds: 7200,
      },
    },
  };
  await queues.create('work');
  const [a, b] = await Promise.all([startPod(settings), startPod(settings)]);
  const metadata = { source: 'sqs', connection: 'jobs', queueURL: 'work', maxStalenessSeconds: '86400' };
  const trigger = ref('workers', metadata);
  const hint = async () => {
    const headers = { authorization: `Bearer ${token}` };
    return (await post(a.pod.port('ingest'), { path: '/ingest/hint/jobs/work', headers })).body;
  };
  for (const { pod } of [a, b]) {
    await expect
      .poll(() => pod.log.lines.map(({ message }) => message))
      .toContain('the event log has its stream in NATS');
  }
  const { messages } = b.pod.client.streamIsActive(trigger);
  await expect.poll(() => messages.at(-1)?.result).toBe(false);
  await queues.send('work', 1);
  // In this pod no trigger watches it.
  expect(await hint()).toEqual({ accepted: 'is looked at now' });
  await expect.poll(() => messages.at(-1)?.result).toBe(true);
});

it('a pod that starts while NATS is away knows no number until NATS is back', async () => {
  const stream = newStream();
  await agedStream(nats().urls, stream, ['builds']);
  await nats().server('n1').stop();
  const github = await FakeGitHub.start({ owner: 'acme' });
  onTestFinished(() => github.close());
  const ci = { source: 'github', owner: 'acme', apiUrl: github.url, token: 'a-token', ...patient };
  const settings = {
    ...eventsOf(stream),
    limits: { firstSyncTimeoutSeconds: 1 },
    security: { allowPlaintextSecrets: true },
    connections: { builds, ci },
  };
  const { pod } = await startPod(settings);
  expect(await readyz(pod)).toBe(503);
  await expect.poll(() => readyz(pod)).toBe(200);
  const away = /events that were kept cannot be read while NATS is away: NATS at \S+ refuses the connection/;
  await expect(numberOf(pod)).rejects.toThrow(away);
  const runners = ref('runners', { source: 'github', connection: 'ci' });
  await expect(numberOf(pod, runners)).rejects.toThrow(away);
  const triggers = await fetch(`http://127.0.0.1:${pod.port('admin')}/api/triggers`);
  expect((await triggers.text()).match(new RegExp(away, 'g'))?.length).toBeGreaterThanOrEqual(2);
  expect(await postEvents(pod.port('ingest'), workEvent('requested', 'x'))).toBe(202);
  await nats().restart('n1');
  await expect.poll(() => numberOf(pod).catch(() => 'unknown')).toBe(1);
});

describe('with servers that take only small messages', () => {
  const small = useNats({ config: 'max_payload: 1400' });

  it('an event that is too large is refused for good, and logged once', async () => {
    const stream = newStream();
    // An event of each kind is an item of ten backlogs.
    const items = workItems.flatMap((item) =>
      Array.from({ length: 10 }, (_, i) => ({ ...item, backlog: `work-${i}` })),
    );
    const connections = { builds: { ...builds, items } };
    const { pod } = await startPod({ ...eventsOf(stream, { servers: small().urls }), connections });
    await expect.poll(() => readyz(pod)).toBe(200);
    const large = workEvent('requested', 'x'.repeat(190));
    for (let i = 0; i < 3; i += 1) expect(await postEvents(pod.port('ingest'), large)).toBe(413);
    expect(await postEvents(pod.port('ingest'), workEvent('requested', 'x'))).toBe(202);
    const said = pod.log.lines.filter(({ message }) => message.startsWith('an event from outside can never'));
    expect(said).toHaveLength(1);
  });
});
