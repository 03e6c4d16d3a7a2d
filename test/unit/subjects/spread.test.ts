import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const queues = Array.from({ length: 100 }, (_, index) => `queue-${index}`);
const periods = 4;
const idleReadSeconds = 30;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** How many queues were read in each second, after the first read of all. */
async function readsBySecond(readsAlone: boolean): Promise<number[]> {
  const service = new QueueService();
  for (const queue of queues) service.queues.set(queue, { visible: 0, inFlight: 0 });
  const connection = connectionOf('queues', { ...hintSource, readsAlone }, service);
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const live = new LiveTriggers([connection], { random });
  for (const queue of queues) live.follow(referenceOf({ source: 'hinted', queue }, queue), () => {});
  await vi.advanceTimersByTimeAsync(0);
  const seconds: number[] = [];
  for (let second = 0; second < periods * idleReadSeconds; second += 1) {
    service.reads = [];
    await vi.advanceTimersByTimeAsync(1_000);
    seconds.push(service.reads.flat().length);
  }
  await live.close();
  return seconds;
}

describe('subjects that begin together', () => {
  it('are read together if one request can serve many', async () => {
    const seconds = await readsBySecond(false);
    expect(seconds.filter((reads) => reads > 0)).toEqual([100, 100, 100, 100]);
  });

  it('are spread over their interval if each needs its own request, and are read no more often', async () => {
    const seconds = await readsBySecond(true);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(15);
    const all = seconds.reduce((sum, reads) => sum + reads, 0);
    expect(all).toBeLessThanOrEqual(queues.length * (periods + 1));
    expect(all).toBeGreaterThanOrEqual(queues.length * periods);
  });
});
