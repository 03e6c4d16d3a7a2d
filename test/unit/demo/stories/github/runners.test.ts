import { expect, it, onTestFinished, vi } from 'vitest';
import { type JobQueue, Runners } from '../../../../../src/demo/stories/github/runners.ts';

/** Jobs that end when told. */
class Queue implements JobQueue {
  waiting = 0;
  readonly done: string[] = [];
  private readonly busy = new Map<string, () => void>();

  work(runnerName: string): Promise<void> | undefined {
    if (this.waiting === 0) return undefined;
    this.waiting--;
    return new Promise((resolve) => this.busy.set(runnerName, resolve));
  }

  get runners(): string[] {
    return [...this.busy.keys()];
  }

  finish(runnerName: string): void {
    this.busy.get(runnerName)?.();
    this.busy.delete(runnerName);
    this.done.push(runnerName);
  }
}

function start(): { queue: Queue; runners: Runners } {
  const queue = new Queue();
  const runners = new Runners(queue);
  onTestFinished(async () => {
    for (const name of queue.runners) queue.finish(name);
    await runners.close();
  });
  return { queue, runners };
}

it('works with as many runners as there are replicas, each on one job', async () => {
  const { queue, runners } = start();
  queue.waiting = 3;
  runners.scale(2);
  expect([runners.replicas, runners.running]).toEqual([2, 2]);
  await vi.waitFor(() => expect(queue.runners).toHaveLength(2));
  expect(queue.waiting).toBe(1);
});

it('takes the next job when one is done', async () => {
  const { queue, runners } = start();
  queue.waiting = 2;
  runners.scale(1);
  for (const left of [1, 0]) {
    await vi.waitFor(() => expect(queue.runners).toEqual(['runner-1']));
    expect(queue.waiting).toBe(left);
    queue.finish('runner-1');
  }
  await vi.waitFor(() => expect(queue.done).toEqual(['runner-1', 'runner-1']));
});

it('lets a runner finish its job before it goes, and gives it no other', async () => {
  const { queue, runners } = start();
  queue.waiting = 2;
  runners.scale(1);
  await vi.waitFor(() => expect(queue.runners).toEqual(['runner-1']));
  runners.scale(0);
  expect([runners.replicas, runners.running]).toEqual([0, 1]);
  queue.finish('runner-1');
  await vi.waitFor(() => expect(runners.running).toBe(0));
  expect(queue.waiting).toBe(1);
});
