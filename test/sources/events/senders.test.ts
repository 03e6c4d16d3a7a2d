import { describe, expect, it, onTestFinished } from 'vitest';
import { agedEventDir } from '../../support/event-store.ts';
import {
  ingest,
  postEvents,
  structured,
  token,
  workEvent,
  workItems,
} from '../../support/events/event-posts.ts';
import { cdEvent, codePipelineMessage, tektonEvent } from '../../support/events/senders.ts';
import { ref } from '../../support/rpc-client.ts';
import { WholeScaler } from '../../support/whole-scaler.ts';

const builds = {
  source: 'events',
  ttlSeconds: 3600,
  items: workItems,
  presets: [
    { preset: 'tekton-pipelinerun', backlog: 'tekton' },
    { preset: 'tekton-pipelinerun', backlog: 'all' },
    { preset: 'cdevents-pipelinerun', backlog: 'all' },
    { preset: 'codepipeline', backlog: 'releases' },
  ],
};

async function start(more: object = {}) {
  const eventLog = { type: 'file', dir: await agedEventDir('builds') };
  const scaler = await WholeScaler.start({ ingest, eventLog, connections: { builds }, ...more });
  onTestFinished(() => scaler.stop());
  const post = (body: unknown, type?: string) => postEvents(scaler.port('ingest'), body, type);
  const trigger = (backlog: string, extra: object = {}) =>
    ref('agents', { source: 'events', backlog, ...extra });
  const number = async (backlog: string) =>
    (await scaler.client.getMetrics(trigger(backlog), '')).metricValues[0]?.metricValueFloat;
  return { scaler, post, trigger, number };
}

describe('work items over the whole scaler', () => {
  it('Tekton: started is true on the stream, finished is zero', async () => {
    const { scaler, trigger, number } = await start();
    const stream = scaler.client.streamIsActive(trigger('tekton'));
    expect(await stream.next()).toEqual({ result: false });
    // Binary mode, as Tekton sends it.
    const { id, source, type, subject, data } = tektonEvent('pipelinerun', 'started');
    const response = await fetch(`http://127.0.0.1:${scaler.port('ingest')}/ingest/events/builds`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': source,
        'ce-type': type,
        'ce-subject': subject ?? '',
      },
      body: JSON.stringify(data),
    });
    expect(response.status).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    expect(await number('tekton')).toBe(1);
    await postEvents(scaler.port('ingest'), structured(tektonEvent('pipelinerun', 'successful')));
    expect([await number('tekton'), await number('all')]).toEqual([0, 0]);
  });

  it('one event counts in every backlog that it mentions, and batches count one by one', async () => {
    const { post, number } = await start();
    const batch = [
      structured(tektonEvent('pipelinerun', 'started')),
      structured(cdEvent('pipelinerun', 'queued.0.2.0')),
    ];
    expect(await post(batch, 'application/cloudevents-batch+json')).toBe(202);
    expect([await number('tekton'), await number('all'), await number('releases')]).toEqual([1, 2, 0]);
  });

  it('CodePipeline through EventBridge: failed is an end, and its retry counts again', async () => {
    const { post, number } = await start();
    const numberAfter = async (state: string, attempt?: number) => {
      expect(await post(codePipelineMessage(state, attempt), 'application/json')).toBe(202);
      return number('releases');
    };
    expect(await numberAfter('STARTED')).toBe(1);
    expect(await numberAfter('FAILED')).toBe(0);
    expect(await numberAfter('STARTED')).toBe(0);
    expect(await numberAfter('RESUMED', 2)).toBe(1);
    expect(await numberAfter('SUCCEEDED', 2)).toBe(0);
  });

  it('finished before queued, and twice: the same', async () => {
    const { post, number } = await start();
    for (const word of ['done', 'requested', 'done', 'requested'] as const) {
      expect(await post(workEvent(word, 'a'))).toBe(202);
    }
    expect(await post(workEvent('requested', 'b'))).toBe(202);
    expect(await number('work')).toBe(1);
  });

  it('an event without an item is accepted and changes nothing', async () => {
    const { post, number } = await start();
    expect(await post({ ...workEvent('requested', 'a'), type: 'com.example.other' })).toBe(202);
    expect(await number('work')).toBe(0);
  });

  it('items whose numbers differ only in what a JavaScript number cannot hold are two', async () => {
    const items = workItems.map((item) => ({ ...item, key: '/id' }));
    const { post, number } = await start({ connections: { builds: { ...builds, items } } });
    const postOf = (word: 'requested' | 'done', id: string) =>
      post(JSON.stringify({ ...workEvent(word, 'a'), data: { id: '?' } }).replace('"?"', id));
    for (const id of ['1234567890123456768', '1234567890123456769']) {
      expect(await postOf('requested', id)).toBe(202);
    }
    expect(await number('work')).toBe(2);
    expect(await postOf('done', '1234567890123456768')).toBe(202);
    expect(await number('work')).toBe(1);
  });

  it('refuses an unknown backlog', async () => {
    const { scaler, trigger } = await start();
    const asked = scaler.client.getMetrics(trigger('wrok'), '');
    await expect(asked).rejects.toMatchObject({
      details: expect.stringMatching(/the connection has work, tekton, all, releases.*did you mean "work"/),
    });
  });
});

describe('with the event log in memory', () => {
  it('is UNAVAILABLE, never zero, but an edge is pushed', async () => {
    const { scaler, post, trigger, number } = await start({ eventLog: { type: 'memory' } });
    await expect(number('work')).rejects.toMatchObject({
      details: expect.stringMatching(/eventLog: \{ type: file \}/),
    });
    const stream = scaler.client.streamIsActive(trigger('work'));
    expect(await post(workEvent('requested', 'a'))).toBe(202);
    const activity = [];
    do activity.push((await stream.next()).result);
    while (activity.at(-1) !== true);
    await expect(number('work')).rejects.toThrow(/UNAVAILABLE/);
    // A reload opens the connection again. It still knows what it knew, and since when.
    await scaler.reload({ ingest, connections: { builds: { ...builds, maxItems: 77 } } });
    await expect.poll(async () => (await scaler.client.isActive(trigger('work'))).result).toBe(true);
    await expect(number('work')).rejects.toThrow(/UNAVAILABLE/);
  });
});
