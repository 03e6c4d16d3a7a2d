import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { limited, OutOfTime } from '../../../../src/sources/sqs/client.ts';
import { Slots, ThrottledQueues } from '../../../../src/sources/sqs/connection.ts';
import { awsOrigin } from '../../../../src/sources/sqs/endpoint.ts';

describe('slots', () => {
  it('are taken in order, and freed by a task that fails', async () => {
    const slots = new Slots(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const tasks = [0, 1, 2, 3].map((i) =>
      slots.run(async () => {
        started.push(i);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (i === 0) throw new Error('failed');
        return i;
      }),
    );
    const results = Promise.allSettled(tasks);
    await turn();
    expect(started).toEqual([0, 1]);
    ends[0]?.();
    await turn();
    expect(started).toEqual([0, 1, 2]);
    for (let i = 1; i < 4; i += 1) {
      ends[i]?.();
      await turn();
    }
    expect((await results).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
  });
});

describe('a throttled queue', () => {
  it('is left alone until its time, and only it', () => {
    let nowMs = 0;
    const throttled = new ThrottledQueues(() => nowMs);
    throttled.failed('a', new ScalerError('unavailable', 'slow down', { retryAfterMs: 5000 }));
    throttled.failed('b', new ScalerError('unavailable', 'no answer'));
    nowMs = 3000;
    expect(throttled.fault('a')).toMatchObject({ message: 'slow down', retryAfterMs: 2000 });
    expect(throttled.fault('b')).toBeUndefined();
    nowMs = 5000;
    expect(throttled.fault('a')).toBeUndefined();
  });
});

describe('a task with a limit', () => {
  const never = () => new Promise<never>(() => {});

  it('gives what it gives', async () => {
    expect(await limited(1000, new AbortController().signal, async () => 7)).toBe(7);
  });

  it('is out of time, and told so', async () => {
    let told = false;
    const task = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        told = true;
      });
      return never();
    };
    await expect(limited(10, new AbortController().signal, task)).rejects.toThrow(OutOfTime);
    expect(told).toBe(true);
  });

  it('ends with the signal, also one that has ended before', async () => {
    const outer = new AbortController();
    const result = limited(60_000, outer.signal, never);
    outer.abort(new Error('over'));
    await expect(result).rejects.toThrow('over');
    await expect(limited(60_000, outer.signal, never)).rejects.toThrow('over');
  });
});

it('regions of China have another domain', () => {
  expect(awsOrigin('eu-central-1')).toBe('https://sqs.eu-central-1.amazonaws.com');
  expect(awsOrigin('cn-north-1')).toBe('https://sqs.cn-north-1.amazonaws.com.cn');
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
