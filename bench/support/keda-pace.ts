import { setTimeout as sleep } from 'node:timers/promises';

let evaluationsAMinute = 2;
process.on('message', (told: { evaluationsAMinute: number }) => {
  evaluationsAMinute = told.evaluationsAMinute;
});

/** Evaluates each client as often as the parent process says. Never ends. */
export async function poll(clients: readonly { evaluate(): Promise<void> }[]): Promise<never> {
  process.stdout.write('polling\n');
  // Polls of different ScaledObjects are independent, so they are spread over the minute.
  let owed = 0;
  let next = 0;
  for (let beforeMs = performance.now(); ; ) {
    await sleep(5);
    const nowMs = performance.now();
    owed += ((nowMs - beforeMs) / 60_000) * evaluationsAMinute * clients.length;
    beforeMs = nowMs;
    for (; owed >= 1; owed--) void clients[next++ % clients.length]?.evaluate();
  }
}
