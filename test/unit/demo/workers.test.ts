import { expect, it, onTestFinished, vi } from 'vitest';
import { Workers, type WorkQueue } from '../../../demo/workers.ts';

/** Work that ends on command. */
class Queue implements WorkQueue {
  waiting = 0;
  readonly done: string[] = [];
  private readonly busy = new Map<string, () => void>();

  work(worker: string): Promise<void> | undefined {
    if (this.waiting === 0) return undefined;
    this.waiting--;
    return new Promise((resolve) => this.busy.set(worker, resolve));
  }

  get busyWorkers(): string[] {
    return [...this.busy.keys()];
  }

  finish(worker: string): void {
    this.busy.get(worker)?.();
    this.busy.delete(worker);
    this.done.push(worker);
  }
}

function start(): { queue: Queue; workers: Workers } {
  const queue = new Queue();
  const workers = new Workers(queue, 'worker');
  onTestFinished(async () => {
    for (const name of queue.busyWorkers) queue.finish(name);
    await workers.close();
  });
  return { queue, workers };
}

it('works with as many workers as replicas, each on one piece', async () => {
  const { queue, workers } = start();
  queue.waiting = 3;
  workers.scale(2);
  expect([workers.replicas, workers.running]).toEqual([2, 2]);
  await vi.waitFor(() => expect(queue.busyWorkers).toHaveLength(2));
  expect(queue.waiting).toBe(1);
});

it('takes the next piece when one is done', async () => {
  const { queue, workers } = start();
  queue.waiting = 2;
  workers.scale(1);
  for (const left of [1, 0]) {
    await vi.waitFor(() => expect(queue.busyWorkers).toEqual(['worker-1']));
    expect(queue.waiting).toBe(left);
    queue.finish('worker-1');
  }
  await vi.waitFor(() => expect(queue.done).toEqual(['worker-1', 'worker-1']));
});

it('lets a worker finish its work before it leaves, and gives it no other', async () => {
  const { queue, workers } = start();
  queue.waiting = 2;
  workers.scale(1);
  await vi.waitFor(() => expect(queue.busyWorkers).toEqual(['worker-1']));
  workers.scale(0);
  expect([workers.replicas, workers.running]).toEqual([0, 1]);
  queue.finish('worker-1');
  await vi.waitFor(() => expect(workers.running).toBe(0));
  expect(queue.waiting).toBe(1);
});
