import type { Bench, Finding, Row } from '../support/row.ts';
import { median } from '../support/statistics.ts';

const limitMs = 500;
/** Nobody listens there: no broker is asked before there is a trigger. */
const nowhere = ['127.0.0.1:1'];

export const start: Row = {
  name: 'start',
  about: 'from the start of the process to ready, with no source to fill first',
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const startsMs: number[] = [];
  for (let round = 0; round < (quick ? 3 : 7); round++) {
    const startedMs = performance.now();
    const scaler = await checkout.start(nowhere);
    startsMs.push(performance.now() - startedMs);
    await scaler.stop();
    progress(`${startsMs.at(-1)?.toFixed(0)} ms`);
  }
  const medianMs = median(startsMs);
  const slowestMs = Math.max(...startsMs);
  return [
    {
      what: 'start to ready (no ledger source)',
      target: `<= ${limitMs / 1000} s`,
      measured: `median ${(medianMs / 1000).toFixed(2)} s, slowest of ${startsMs.length} ${(slowestMs / 1000).toFixed(2)} s`,
      met: slowestMs <= limitMs,
      numbers: { medianMs, slowestMs },
    },
  ];
}
