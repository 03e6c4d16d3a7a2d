import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { argo, codePipeline, tekton as tektonStarted } from '../support/cloudevents-senders.ts';
import { at, type ExampleRequest, resources, text } from '../support/hint-examples.ts';
import { HintExamplesScaler, tokenOf } from '../support/hint-examples-scaler.ts';
import {
  alertmanager,
  argoCd,
  argoCdTemplates,
  argoEvents,
  eventBridge,
  tekton,
} from '../support/hint-senders.ts';
import { deliver, FakeSns, makeSigner, type Signer, signedMessage, subscribeUrl } from '../support/sns.ts';

const queue = 'thumbnails';

it('deploy/examples/hints has only files that are played here', () => {
  const folder = new URL('../../deploy/examples/hints/', import.meta.url);
  expect(readdirSync(folder).toSorted()).toEqual([
    'alertmanager-receiver.yaml',
    'argo-events-sensor.yaml',
    'argocd-notification.yaml',
    'eventbridge-api-destination.yaml',
    'sns-fanout.yaml',
    'tekton-sink.yaml',
    'values.yaml',
  ]);
});

/** A scaler that watches the queue of the examples and another one, both without messages. */
async function watching(sns?: FakeSns) {
  const scene = await HintExamplesScaler.start(sns);
  await scene.queues.create(queue);
  await scene.queues.create('other');
  const stream = scene.streamOf(queue);
  const other = scene.streamOf('other');
  expect(await stream.next()).toEqual({ result: false });
  expect(await other.next()).toEqual({ result: false });
  // From now on every read is caused by a hint.
  await scene.queues.send(queue);
  await scene.queues.send('other');
  return { scene, stream };
}

const objectCreated = {
  ...codePipeline.event,
  'detail-type': 'Object Created',
  source: 'aws.s3',
  resources: ['arn:aws:s3:::acme-uploads'],
  detail: { version: '0', bucket: { name: 'acme-uploads' }, object: { key: 'cat.png', size: 5 } },
};

const alert = {
  version: '4',
  groupKey: '{}/{alertname="UploadsBatchStarted"}:{alertname="UploadsBatchStarted"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'wake-thumbnails',
  alerts: [{ status: 'firing', labels: { alertname: 'UploadsBatchStarted' }, annotations: {} }],
};

describe('deploy/examples/hints: requests that wake a queue', () => {
  const argoEvent: unknown = JSON.parse(String(argo.body));
  const senders: [string, string, (secret: (name: string) => string) => ExampleRequest][] = [
    [
      'eventbridge-api-destination.yaml',
      'event',
      (secret) => eventBridge('eventbridge-api-destination.yaml', objectCreated, secret('eventbridge')),
    ],
    [
      'argo-events-sensor.yaml',
      'event',
      (secret) => argoEvents('argo-events-sensor.yaml', argoEvent, `Bearer ${secret('argo-events')}`),
    ],
    [
      'alertmanager-receiver.yaml',
      'hint',
      (secret) => alertmanager('alertmanager-receiver.yaml', alert, secret('alertmanager')),
    ],
  ];

  it.each(senders)('%s, and only that one', async (_, cause, request) => {
    const { scene, stream } = await watching();
    expect((await scene.send(request(tokenOf))).status).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    expect(await scene.wakes()).toEqual({ [cause]: 1 });
  });

  it.each(senders)('%s, and not without its token', async (_, __, request) => {
    const { scene } = await watching();
    expect((await scene.send(request(() => 'another-token-0123456789'))).status).toBe(401);
    // The token of another example in this folder, for another connection.
    expect((await scene.send(request(() => tokenOf('tekton')))).status).toBe(403);
    expect(await scene.wakes()).toEqual({});
  });

  it('argo-events-sensor.yaml: its payload is the event as a CloudEvent', () => {
    const { body } = argoEvents('argo-events-sensor.yaml', argoEvent, 'Bearer x');
    expect(JSON.parse(body)).toMatchObject({
      source: 'webhook',
      subject: 'example',
      data: { queue: 'jobs' },
    });
  });

  it('eventbridge-api-destination.yaml: the rule matches the event, and it also reaches the queue', () => {
    const [rule] = resources('eventbridge-api-destination.yaml', 'AWS::Events::Rule');
    expect(at(rule, 'EventPattern', 'source')).toContain(objectCreated.source);
    expect(at(rule, 'EventPattern', 'detail-type')).toContain(objectCreated['detail-type']);
    expect(at(rule, 'Targets')).toMatchObject([
      { Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
      { Arn: { 'Fn::GetAtt': ['Destination', 'Arn'] }, RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } },
    ]);
  });
});

describe('deploy/examples/hints/sns-fanout.yaml', () => {
  let signer: Signer;
  beforeAll(() => {
    signer = makeSigner();
  });
  const file = 'sns-fanout.yaml';
  const [topic] = resources(file, 'AWS::SNS::Topic');
  const TopicArn = `arn:aws:sns:eu-central-1:123456789012:${text(at(topic, 'TopicName'))}`;
  const version = text(at(topic, 'SignatureVersion'));
  const [toQueue, toScaler] = resources(file, 'AWS::SNS::Subscription');
  const path = new URL(text(at(toScaler, 'Endpoint'))).pathname;

  it('is confirmed, and then wakes the queue that it fans out to', async () => {
    const url = subscribeUrl().replace(/TopicArn=[^&]+/, `TopicArn=${TopicArn}`);
    const sns = new FakeSns(signer);
    sns.answers.set(url, '<ConfirmSubscriptionResponse/>');
    const { scene, stream } = await watching(sns);
    const confirmation = { TopicArn, SubscribeURL: url, version };
    const asked = signedMessage('SubscriptionConfirmation', signer, confirmation);
    expect((await deliver(scene.port, asked, { path })).status).toBe(202);
    await expect.poll(() => sns.calls).toEqual([signer.url, url]);
    const message = signedMessage('Notification', signer, { TopicArn, version });
    expect((await deliver(scene.port, message, { path })).status).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    expect(await scene.wakes()).toEqual({ sns: 1 });
  });

  it('gives consumers the message itself, and the scaler the signed one', () => {
    expect([toQueue, toScaler]).toMatchObject([
      { Protocol: 'sqs', RawMessageDelivery: true },
      { Protocol: 'https', RawMessageDelivery: false },
    ]);
    const [made] = resources(file, 'AWS::SQS::Queue');
    expect(path.split('/').at(-1)).toBe(at(made, 'QueueName'));
  });
});

describe('deploy/examples/hints: events that make work items', () => {
  const event = (word: string) => ({
    headers: {
      ...headersOf(tektonStarted.headers),
      'Ce-Type': `dev.tekton.event.pipelinerun.${word}.v1`,
      'Ce-Id': word,
      // Items older than ttlSeconds are ignored.
      'Ce-Time': new Date().toISOString(),
    },
    body: String(tektonStarted.body),
  });

  it('tekton-sink.yaml: a PipelineRun, from its start to its end', async () => {
    const scene = await HintExamplesScaler.start();
    const send = async (word: string, secret = tokenOf('tekton')) =>
      (await scene.send(tekton('tekton-sink.yaml', event(word), secret))).status;
    expect(await scene.items('pipelines')).toBe(0);
    expect(await send('started', 'another-token-0123456789')).toBe(401);
    for (const [word, items] of [
      ['started', 1],
      ['running', 1],
      ['unknown', 1],
      ['successful', 0],
      ['running', 0],
    ] as const) {
      expect(await send(word)).toBe(202);
      await expect.poll(() => scene.items('pipelines')).toBe(items);
    }
  });

  it.each(['Succeeded', 'Failed', 'Error'])(
    'argocd-notification.yaml: a sync, until it has %s',
    async (phase) => {
      const scene = await HintExamplesScaler.start();
      const app = {
        metadata: { name: 'shop', namespace: 'argocd', uid: 'b1e9c9a4-54ad-4b07-a8f4-9d8b5c5c8a11' },
        status: { operationState: { phase, startedAt: '2026-01-15T09:30:00Z' } },
      };
      const file = 'argocd-notification.yaml';
      const send = async (name: string) =>
        (await scene.send(argoCd(file, name, app, tokenOf('argocd')))).status;
      expect(argoCdTemplates(file, 'on-sync-work', 'Running')).toEqual(['sync-started']);
      expect(argoCdTemplates(file, 'on-sync-work', phase)).toEqual(['sync-finished']);
      expect(await send('sync-started')).toBe(202);
      await expect.poll(() => scene.items('syncs')).toBe(1);
      expect(await send('sync-finished')).toBe(202);
      await expect.poll(() => scene.items('syncs')).toBe(0);
    },
  );
});

function headersOf(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
