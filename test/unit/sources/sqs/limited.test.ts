import { describe, expect, it } from 'vitest';
import { limited, OutOfTime } from '../../../../src/sources/sqs/upstream/client.ts';

describe('a task with a limit', () => {
  const never = () => new Promise<never>(() => {});

  it('returns the result', async () => {
    expect(await limited(1000, new AbortController().signal, async () => 7)).toBe(7);
  });

  it('runs out of time, and its signal aborts', async () => {
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
