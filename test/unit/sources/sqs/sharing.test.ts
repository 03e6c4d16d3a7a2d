import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqs } from '../../../../src/sources/sqs/index.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../../support/live-triggers.ts';
import { ref } from '../../../support/rpc-client.ts';
import { WholeScaler } from '../../../support/whole-scaler.ts';
import { configOf } from './connecting.ts';
import { countsAnswer, ScriptedSqs } from './scripted-sqs.ts';

let server: ScriptedSqs;
beforeEach(async () => {
  server = await ScriptedSqs.start(() => countsAnswer(20));
});
afterEach(() => server.stop());

/** How often each queue was read. */
function readsOfEach(): Map<string, number> {
  const reads = new Map<string, number>();
  for (const { body } of server.asked) {
    const url = String(body['QueueUrl']);
    reads.set(url, (reads.get(url) ?? 0) + 1);
  }
  return reads;
}

describe('a hundred triggers on ten queues', () => {
  it('cost ten requests a round, whatever they ask and however often', async () => {
    const slow = { idleReadSeconds: 3600, activeReadSeconds: 3600 };
    const live = new LiveTriggers([connectionOf('jobs', sqs, configOf(server.url, slow))]);
    const { metrics } = live;
    const triggers = Array.from({ length: 100 }, (_, i) => {
      const metadata = { source: 'sqs', queueURL: `/1/queue-${i % 10}`, queueLength: String(1 + (i % 7)) };
      return live.trigger(referenceOf(metadata, `worker-${i}`));
    });
    const ask = () => Promise.all(triggers.map((trigger) => trigger.answer(new AbortController())));
    for (let i = 0; i < 5; i += 1) {
      const answers = await ask();
      expect(answers.every((answer) => answer.kind === 'known' && answer.value === 20)).toBe(true);
    }
    expect([...readsOfEach().values()]).toEqual(Array(10).fill(1));
    const requests = await metrics.sourceRequests.get();
    expect(
      requests.values.map(({ labels, value }) => [labels['operation'], labels['outcome'], value]),
    ).toEqual([['GetQueueAttributes', 'ok', 10]]);
    await live.close();
  });
});

describe('one queue by its name and by its URL', () => {
  it('is one subject as soon as our account is known', async () => {
    server.script = ({ operation }) =>
      operation === 'GetQueueUrl' ? { body: { QueueUrl: `${server.url}/1/jobs` } } : countsAnswer(20);
    const slow = { idleReadSeconds: 3600, activeReadSeconds: 3600 };
    const live = new LiveTriggers([connectionOf('jobs', sqs, configOf(server.url, slow))]);
    const spellings = ['jobs', `${server.url}/1/jobs`, '/1/jobs', 'mail', '/1/mail', 'mail'];
    const triggers = spellings.map((queueURL, i) =>
      live.trigger(referenceOf({ source: 'sqs', queueURL }, `worker-${i}`)),
    );
    const answers = await Promise.all(triggers.map((trigger) => trigger.answer(new AbortController())));
    expect(answers).toHaveLength(6);
    for (const answer of answers) expect(answer).toMatchObject({ kind: 'known', value: 20 });
    expect(await live.metrics.exposition()).toContain('backlog_scaler_subjects{source="sqs"} 2');
    // Queues known only by name are read together, before the account is looked up.
    const { GetQueueAttributes, GetQueueUrl = 0 } = server.operations;
    expect(GetQueueAttributes).toBe(2);
    expect(GetQueueUrl).toBeLessThanOrEqual(2);
    // No account is looked up for later ones.
    const late = live.trigger(referenceOf({ source: 'sqs', queueURL: 'jobs' }, 'late'));
    await late.answer(new AbortController());
    expect(server.operations).toEqual({ GetQueueAttributes: 2, GetQueueUrl });
    await live.close();
  });
});

describe('a hint', () => {
  it('for a queue by its name or URL reads it at once, and wakes by that one read', async () => {
    server.script = () => countsAnswer(0);
    const config = configOf(server.url, { idleReadSeconds: 3600 });
    const live = new LiveTriggers([connectionOf('jobs', sqs, config)]);
    const trigger = live.trigger(referenceOf({ source: 'sqs', queueURL: '/1/mail' }));
    expect(await trigger.answer(new AbortController())).toMatchObject({ active: false });
    const told: boolean[] = [];
    trigger.follow(({ active }) => told.push(active));
    server.script = () => countsAnswer(1);
    expect(live.hint('jobs', 'letters', 'hint')).toBe(false);
    expect(live.hint('jobs', `${server.url}/1/mail`, 'hint')).toBe(true);
    await expect.poll(() => told).toEqual([false, true]);
    expect(server.asked).toHaveLength(2);
    await live.close();
  });
});

describe('the access key in files', () => {
  it('is read from them, and read again when they change', async () => {
    const settings = {
      connections: {
        jobs: {
          source: 'sqs',
          region: 'eu-central-1',
          endpoint: server.url,
          credentials: { accessKeyIdFile: 'id', secretAccessKeyFile: 'secret', sessionTokenFile: 'token' },
        },
      },
    };
    const scaler = await WholeScaler.start(settings, { id: 'AKIDONE\n', secret: 's\n', token: 't1\n' });
    const reference = ref('worker', { source: 'sqs', queueURL: '/1/jobs' });
    try {
      expect(await scaler.client.isActive(reference)).toEqual({ result: true });
      expect(lastSigner()).toEqual(['AKIDONE', 't1']);
      await scaler.reload(settings, { id: 'AKIDTWO', token: 't2' });
      await expect.poll(lastSigner, { timeout: 30_000 }).toEqual(['AKIDTWO', 't2']);
      expect(JSON.stringify(scaler.log.lines)).not.toMatch(/AKIDONE|AKIDTWO|"t2"/);
    } finally {
      await scaler.stop();
    }
  });
});

/** The access key and the session token of the last request. */
function lastSigner(): unknown[] {
  const { authorization = '', ...headers } = server.asked.at(-1)?.headers ?? {};
  return [/Credential=([^/]+)/.exec(authorization)?.[1], headers['x-amz-security-token']];
}
