import { setTimeout as sleep } from 'node:timers/promises';

/** Retries until it works. Right after a topic or group is created, brokers still deny that it exists. */
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
