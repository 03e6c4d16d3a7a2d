import { setTimeout as sleep } from 'node:timers/promises';

/** Tries until it works: right after a topic or group is made, brokers still answer that they do not know it. */
export async function eventually<T>(work: () => Promise<T>, limitMs = 30_000): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
