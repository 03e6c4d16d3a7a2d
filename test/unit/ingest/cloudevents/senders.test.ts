import { describe, expect, it } from 'vitest';
import { eventIn, example, faultOf } from '../../../support/cloudevents.ts';
import { argo, cdevents, codePipeline, knative, tekton } from '../../../support/cloudevents-senders.ts';

const asJson = (value: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

describe('requests of real senders', () => {
  it('Knative', () => {
    expect(eventIn(knative)).toMatchObject({
      id: 'partition:0/offset:52',
      source: '/apis/v1/namespaces/shop/kafkasources/orders#orders',
      type: 'dev.knative.kafka.event',
      subject: 'partition:0#52',
      data: { order: 7 },
      extensions: { partitionkey: '100-0', knativearrivaltime: '2024-08-27T08:13:50.963498004Z' },
    });
  });

  it('Tekton', () => {
    expect(eventIn(tekton)).toMatchObject({
      source: '/apis/tekton.dev/v1/namespaces/ci/pipelineruns/build-6gplk',
      type: 'dev.tekton.event.pipelinerun.started.v1',
      subject: 'build-6gplk',
      timeMs: Date.parse('2021-01-29T14:47:58.157Z'),
      data: { pipelineRun: { metadata: { name: 'build-6gplk' } } },
    });
  });

  it('CDEvents', () => {
    expect(eventIn(cdevents)).toMatchObject({
      type: 'dev.cdevents.pipelinerun.queued.0.2.0',
      subject: 'ci/build-42',
      data: { subject: { id: 'ci/build-42' } },
    });
  });

  it('EventBridge, whose whole event is the data', () => {
    expect(eventIn(codePipeline)).toEqual({
      id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
      source: 'aws.codepipeline',
      type: 'CodePipeline Pipeline Execution State Change',
      subject: 'arn:aws:codepipeline:eu-central-1:123456789012:shop',
      timeMs: Date.UTC(2017, 3, 22, 3, 31, 47),
      data: codePipeline.event,
      extensions: { account: '123456789012', region: 'eu-central-1' },
    });
  });

  it('EventBridge, with a custom event', () => {
    const { resources: _, time: __, ...event } = codePipeline.event;
    const own = { ...event, source: 'my shop', resources: [], 'detail-type': 'order placed' };
    expect(eventIn(asJson(own))).toMatchObject({ source: 'my shop', subject: undefined, timeMs: undefined });
    expect(eventIn(asJson({ ...own, resources: [''], time: 'soon' }))).toMatchObject({
      subject: undefined,
      timeMs: undefined,
    });
    expect(faultOf(asJson({ ...own, id: undefined, source: 1 }))).toBe(
      'id is missing; source must be a string of 1 to 2048 characters, none of them a control character',
    );
  });

  it('Argo Events', () => {
    expect(eventIn(argo)).toMatchObject({
      source: 'webhook',
      type: 'webhook',
      subject: 'example',
      data: { body: { queue: 'jobs' } },
    });
    expect(faultOf(asJson({ context: { ...example, id: undefined }, data: 1 }))).toBe(
      'context.id is missing',
    );
  });

  it('a CloudEvent under a plain content type', () => {
    expect(eventIn(asJson({ ...example, data: 1 }))).toMatchObject({
      type: 'com.example.someevent',
      data: 1,
    });
  });

  it.each([[{}], [[example]], [null], ['x'], [{ version: '4', groupKey: 'x', alerts: [] }]])(
    'not %j',
    (value) => {
      const fault =
        'the body is no CloudEvent, nor an event of EventBridge or Argo Events: send it to /ingest/hint';
      expect(faultOf(asJson(value))).toBe(fault);
    },
  );
});
