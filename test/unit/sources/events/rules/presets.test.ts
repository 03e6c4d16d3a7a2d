import { describe, expect, it } from 'vitest';
import { eventsConfig } from '../../../../../src/sources/events/config.ts';
import { fact } from '../../../../../src/sources/events/index.ts';
import type { PresetName } from '../../../../../src/sources/events/rules/presets.ts';
import type { InboundCloudEvent } from '../../../../../src/sources/inbound.ts';
import { cdEvent, codePipelineEvent, tektonEvent } from '../../../../support/events/senders.ts';

function said(preset: PresetName, event: InboundCloudEvent, narrower: object = {}) {
  const config = eventsConfig.parse({ ttlSeconds: 60, presets: [{ preset, backlog: 'runs', ...narrower }] });
  return fact(config, event)?.map(({ key, state, attempt }) => [key, state, attempt]);
}

describe('tekton', () => {
  it.each([
    ['started', 'queued'],
    ['running', 'running'],
    ['unknown', 'running'],
    ['successful', 'finished'],
    ['failed', 'finished'],
  ] as const)('%s is %s', (word, state) => {
    expect(said('tekton-pipelinerun', tektonEvent('pipelinerun', word))).toEqual([
      ['5d7b9a52-run', state, 0],
    ]);
    expect(said('tekton-taskrun', tektonEvent('taskrun', word))).toEqual([['5d7b9a52-run', state, 0]]);
  });

  it('keeps task runs and pipeline runs apart', () => {
    expect(said('tekton-pipelinerun', tektonEvent('taskrun', 'started'))).toBeUndefined();
    expect(said('tekton-taskrun', tektonEvent('pipelinerun', 'started'))).toBeUndefined();
  });

  it('is narrowed by source and subject', () => {
    const event = tektonEvent('pipelinerun', 'started');
    const shop = { source: '/apis/tekton.dev/v1/namespaces/shop/*' };
    expect(said('tekton-pipelinerun', event, { source: '*/namespaces/ci/*' })).toHaveLength(1);
    expect(said('tekton-pipelinerun', event, shop)).toBeUndefined();
    expect(said('tekton-pipelinerun', event, { subject: 'deploy-*' })).toBeUndefined();
  });
});

describe('cdevents', () => {
  it.each([
    ['pipelinerun', 'queued.0.2.0', 'queued'],
    ['pipelinerun', 'started.0.2.0', 'running'],
    ['pipelinerun', 'finished.0.3.0-draft', 'finished'],
    ['taskrun', 'started.0.1.0', 'running'],
    ['taskrun', 'finished.1.0.0', 'finished'],
  ] as const)('%s.%s is %s', (subject, word, state) => {
    expect(said(`cdevents-${subject}`, cdEvent(subject, word))).toEqual([
      ['["https://ci.example.com","run-42"]', state, 0],
    ]);
  });

  it('keeps items with one ID apart by their source: that of the subject, otherwise that of the event', () => {
    const event = cdEvent('pipelinerun', 'started.0.2.0');
    const key = (source: string, subject: object) =>
      said('cdevents-pipelinerun', { ...event, source, data: { subject } })?.[0]?.[0];
    expect(key('/a', { id: 'nightly-42' })).not.toBe(key('/b', { id: 'nightly-42' }));
    expect(key('/a', { id: 'nightly-42' })).toBe(key('/b', { id: 'nightly-42', source: '/a' }));
    expect(key('/a', { source: '/b' })).toBeUndefined();
  });

  it('recognizes task runs and pipeline runs, and nothing else', () => {
    expect(said('cdevents-taskrun', cdEvent('pipelinerun', 'started.0.2.0'))).toBeUndefined();
    expect(said('cdevents-pipelinerun', cdEvent('build', 'started.0.2.0'))).toBeUndefined();
  });
});

describe('codepipeline', () => {
  const id = '01234567-0123-0123-0123-012345678901';

  it.each([
    ['STARTED', 'running'],
    ['STOPPING', 'running'],
    ['SUCCEEDED', 'finished'],
    ['FAILED', 'finished'],
    ['STOPPED', 'finished'],
    ['SUPERSEDED', 'finished'],
    ['CANCELED', 'finished'],
  ])('%s is %s', (state, itemState) => {
    expect(said('codepipeline', codePipelineEvent(state))).toEqual([[id, itemState, 1]]);
  });

  it('a failed execution that is retried is another attempt of it', () => {
    expect(said('codepipeline', codePipelineEvent('RESUMED', 2))).toEqual([[id, 'running', 2]]);
  });

  it('ignores stages, states to come, and other senders', () => {
    const stage = { type: 'CodePipeline Stage Execution State Change' };
    expect(said('codepipeline', { ...codePipelineEvent('STARTED'), ...stage })).toBeUndefined();
    expect(said('codepipeline', codePipelineEvent('PAUSED'))).toBeUndefined();
    expect(said('codepipeline', { ...codePipelineEvent('STARTED'), source: 'me' })).toBeUndefined();
  });
});
