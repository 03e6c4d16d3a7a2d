import { expect, it, onTestFinished } from 'vitest';
import { Repository } from '../../../../../demo/stories/github/repository.ts';
import { FakeGitHub } from '../../../../../fakes/github/fake-github.ts';

const going = new AbortController().signal;

async function start(): Promise<{ github: FakeGitHub; repository: Repository }> {
  const github = await FakeGitHub.start({ owner: 'acme', token: 'secret' });
  onTestFinished(() => github.close());
  return { github, repository: new Repository(github) };
}

it('begins the jobs of a run together, when each has its runner', async () => {
  const { github, repository } = await start();
  await repository.push(2);
  const first = repository.work('runner-1', going);
  expect(github.openJobs().map(({ status }) => status)).toEqual(['in_progress', 'queued']);
  const second = repository.work('runner-2', going);
  expect(repository.work('runner-3', going)).toBeUndefined();
  await Promise.all([first, second]);
  expect(await repository.open()).toBe(0);
});

it('leaves a job alone that requires a label its runners lack', async () => {
  const { github, repository } = await start();
  github.startRun('shop', { jobs: [{ labels: ['self-hosted', 'windows'] }] });
  expect(repository.work('runner-1', going)).toBeUndefined();
  expect(await repository.open()).toBe(1);
});

it('releases a runner at once when the story ends', async () => {
  const { repository } = await start();
  await repository.push(2);
  await repository.work('runner-1', AbortSignal.abort());
  expect(await repository.open()).toBe(2);
});
