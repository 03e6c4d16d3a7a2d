import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, RpcConnection } from './rpc-connection.ts';

/** Keeps `concurrency` calls under way for `durationMs`. Each caller waits for its answer. Returns answers a second. */
export async function closedLoop(
  connection: RpcConnection,
  calls: readonly Call[],
  { concurrency, durationMs }: { concurrency: number; durationMs: number },
): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() - startedMs < durationMs) {
      await connection.unary(at(calls, next++));
      answered++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return (answered * 1000) / (performance.now() - startedMs);
}

/** Sends `perSecond` calls a second, whether or not answers come. Returns the ms of each, from its sending. */
export async function openLoop(
  connection: RpcConnection,
  calls: readonly Call[],
  { perSecond, durationMs }: { perSecond: number; durationMs: number },
): Promise<number[]> {
  const startedMs = performance.now();
  const pending: Promise<number>[] = [];
  for (;;) {
    const elapsedMs = performance.now() - startedMs;
    const due = Math.floor((Math.min(elapsedMs, durationMs) * perSecond) / 1000);
    while (pending.length < due) {
      const answer = connection.unary(at(calls, pending.length));
      // Handled below. Until then a failure must not count as unhandled.
      answer.catch(() => {});
      pending.push(answer);
    }
    if (elapsedMs >= durationMs) return Promise.all(pending);
    await sleep(1);
  }
}

function at(calls: readonly Call[], index: number): Call {
  const call = calls[index % calls.length];
  if (call === undefined) throw new Error('there is nothing to call');
  return call;
}
