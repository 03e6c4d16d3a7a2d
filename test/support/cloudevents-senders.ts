import type { EventRequest } from './cloudevents.ts';

/*
 * Shortened requests, in the form in which each sender sends them. Names and IDs are invented.
 */

const json = (value: unknown): string => JSON.stringify(value);

/** A broker of Knative Eventing, forwarding an event of a KafkaSource. */
export const knative: EventRequest = {
  headers: {
    'Ce-Id': 'partition:0/offset:52',
    'Ce-Source': '/apis/v1/namespaces/shop/kafkasources/orders#orders',
    'Ce-Specversion': '1.0',
    'Ce-Subject': 'partition:0#52',
    'Ce-Time': '2024-08-27T08:13:50.953Z',
    'Ce-Type': 'dev.knative.kafka.event',
    'Ce-Knativearrivaltime': '2024-08-27T08:13:50.963498004Z',
    'Ce-Partitionkey': '100-0',
    'Content-Type': 'application/json',
    Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
  body: json({ order: 7 }),
};

/** Tekton Pipelines' sink (its docs/events.md). The whole object is in the body. */
export const tekton: EventRequest = {
  headers: {
    'Ce-Id': '77f78ae7-ff6d-4e39-9d05-b9a0b7850527',
    'Ce-Source': '/apis/tekton.dev/v1/namespaces/ci/pipelineruns/build-6gplk',
    'Ce-Specversion': '1.0',
    'Ce-Subject': 'build-6gplk',
    'Ce-Time': '2021-01-29T14:47:58.157819Z',
    'Ce-Type': 'dev.tekton.event.pipelinerun.started.v1',
    'Content-Type': 'application/json',
    'User-Agent': 'Go-http-client/1.1',
  },
  body: json({
    pipelineRun: {
      metadata: { name: 'build-6gplk', namespace: 'ci', uid: '4ccb4f01-3ecc-4eb4-87e1-76f04efeee5c' },
      spec: { pipelineRef: { name: 'build' } },
      status: { conditions: [{ reason: 'Started', status: 'Unknown', type: 'Succeeded' }] },
    },
  }),
};

/** A CDEvent (0.4) over the CloudEvents binding. Its subject's ID is the event's subject. */
export const cdevents: EventRequest = {
  headers: {
    'Ce-Id': '271069a8-fc18-44f1-b38f-9d70a1695819',
    'Ce-Source': '/ci/engine',
    'Ce-Specversion': '1.0',
    'Ce-Subject': 'ci/build-42',
    'Ce-Time': '2023-03-20T14:27:05.315384Z',
    'Ce-Type': 'dev.cdevents.pipelinerun.queued.0.2.0',
    'Content-Type': 'application/json',
  },
  body: json({
    context: {
      version: '0.4.1',
      id: '271069a8-fc18-44f1-b38f-9d70a1695819',
      source: '/ci/engine',
      type: 'dev.cdevents.pipelinerun.queued.0.2.0',
      timestamp: '2023-03-20T14:27:05.315384Z',
    },
    subject: {
      id: 'ci/build-42',
      source: '/ci/engine',
      type: 'pipelineRun',
      content: { pipelineName: 'build' },
    },
  }),
};

const codePipelineEvent = {
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': 'CodePipeline Pipeline Execution State Change',
  source: 'aws.codepipeline',
  account: '123456789012',
  time: '2017-04-22T03:31:47Z',
  region: 'eu-central-1',
  resources: ['arn:aws:codepipeline:eu-central-1:123456789012:shop'],
  detail: {
    pipeline: 'shop',
    version: 1,
    state: 'STARTED',
    'execution-id': '01234567-0123-0123-0123-012345678901',
  },
};

/** An API destination of EventBridge, without an input transformer. */
export const codePipeline = {
  event: codePipelineEvent,
  headers: {
    'Content-Type': 'application/json; charset=utf-8',
    'User-Agent': 'Amazon/EventBridge/ApiDestinations',
  },
  body: json(codePipelineEvent),
};

/** An HTTP trigger of Argo Events whose payload takes the event's `context` and its `data`. */
export const argo: EventRequest = {
  headers: { 'Content-Type': 'application/json' },
  body: json({
    context: {
      id: '38376665363064343336353934393261616664636434626130656265663963',
      source: 'webhook',
      specversion: '1.0',
      type: 'webhook',
      datacontenttype: 'application/json',
      subject: 'example',
      time: '2020-10-11T11:00:00Z',
    },
    data: { header: { 'X-Kind': ['build'] }, body: { queue: 'jobs' } },
  }),
};
