/** A request had no answer, or no whole one, in the time that all of it may take. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/**
 * Runs a task that is to end with the signal, or after `limitMs`: the AWS SDK looks at its signal only while a
 * request is under way, not while it looks for credentials. Rejects with the signal's reason, or OutOfTime.
 */
export async function limited<T>(
  limitMs: number,
  outer: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  // Not a listener on the outer signal: a read of many queues would have too many for Node.
  const inner = AbortSignal.any([outer, own.signal]);
  const timer = setTimeout(() => own.abort(new OutOfTime()), limitMs);
  const aborted = new Promise<never>((_, reject) => {
    if (inner.aborted) reject(inner.reason);
    else inner.addEventListener('abort', () => reject(inner.reason), { once: true });
  });
  try {
    return await Promise.race([task(inner), aborted]);
  } finally {
    clearTimeout(timer);
  }
}
