import { describe, expect, it } from 'vitest';
import { faultsOf, paramsOf } from './trigger-params.ts';

describe('a github trigger', () => {
  it('needs no keys', () => {
    expect(paramsOf()).toEqual({
      repos: [],
      labels: [],
      noDefaultLabels: false,
      defaultLabels: ['self-hosted', 'linux', 'x64'],
      matchUnlabeledJobsWithUnlabeledRunners: false,
      targetWorkflowQueueLength: 1,
      activationTargetWorkflowQueueLength: 0,
      count: 'queued+running',
    });
  });

  it('takes KEDA’s spellings', () => {
    expect(
      paramsOf({
        repos: 'web, acme/API',
        labelsFromEnv: ' gpu ,big',
        noDefaultLabels: 'T',
        targetWorkflowQueueLength: '2.5',
      }),
    ).toMatchObject({
      repos: ['web', 'acme/API'],
      labels: ['gpu', 'big'],
      noDefaultLabels: true,
      targetWorkflowQueueLength: 2.5,
    });
  });

  it.each([
    [{ targetWorkflowQueueLength: '0' }, 'targetWorkflowQueueLength: must be a number above 0, got "0"'],
    [
      { activationTargetWorkflowQueueLength: '-1' },
      'activationTargetWorkflowQueueLength: must be a number of at least 0, got "-1"',
    ],
    [{ count: 'running' }, 'count: must be one of queued+running, queued, got "running"'],
    [{ noDefaultLabels: 'yes' }, 'noDefaultLabels: must be true or false, got "yes"'],
    [
      { noDefaultLabels: 'true', defaultLabels: 'self-hosted,linux,x64' },
      'noDefaultLabels and defaultLabels exclude each other: give one',
    ],
    ...['../../orgs', 'a/b/c', '..', 'acme/', '/web', 'we b', 'web?x=1', 'acme/..'].map(
      (repo): [Record<string, string>, string] => [
        { repos: `api,${repo}` },
        `repos: must be names such as web or acme/web, got ${JSON.stringify(repo)}`,
      ],
    ),
  ])('refuses %j', (metadata, fault) => {
    expect(faultsOf(metadata)).toEqual([fault]);
  });

  it('may have default labels of its own, or none', () => {
    expect(paramsOf({ defaultLabels: 'self-hosted,windows,ARM64' }).defaultLabels).toEqual([
      'self-hosted',
      'windows',
      'ARM64',
    ]);
    expect(paramsOf({ noDefaultLabels: 'true' }).noDefaultLabels).toBe(true);
    expect(paramsOf({ noDefaultLabels: 'false', defaultLabels: 'x' }).defaultLabels).toEqual(['x']);
  });
});
