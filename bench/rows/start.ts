import type { Bench, Finding, Row } from '../support/row.ts';
import { median } from '../support/statistics.ts';

const limits = { slowestMs: 500, medianMs: 350, residentMiB: 100 };
/** Nobody listens there: no broker is asked before there is a trigger. */
const nowhere = ['127.0.0.1:1'];

export const start: Row = {
  name: 'start',
  about: 'from the start of the process to ready, with one Kafka connection, and memory then',
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const startsMs: number[] = [];
  const residentMiB: number[] = [];
  for (let round = 0; round < (quick ? 3 : 7); round++) {
    const startedMs = performance.now();
    const scaler = await checkout.start(nowhere);
    startsMs.push(performance.now() - startedMs);
    residentMiB.push(await scaler.process.residentMiB());
    await scaler.stop();
    progress(`${startsMs.at(-1)?.toFixed(0)} ms, ${residentMiB.at(-1)?.toFixed(1)} MiB`);
  }
  const medianMs = median(startsMs);
  const slowestMs = Math.max(...startsMs);
  const medianMiB = median(residentMiB);
  const largestMiB = Math.max(...residentMiB);
  return [
    {
      what: 'start to ready (one Kafka connection, no ledger source)',
      target: `<= ${limits.medianMs / 1000} s, slowest <= ${limits.slowestMs / 1000} s`,
      measured: `median ${(medianMs / 1000).toFixed(2)} s, slowest of ${startsMs.length} ${(slowestMs / 1000).toFixed(2)} s`,
      met: medianMs <= limits.medianMs && slowestMs <= limits.slowestMs,
      numbers: { medianMs, slowestMs },
    },
    {
      what: 'resident memory when it is ready',
      target: `< ${limits.residentMiB} MiB`,
      measured: `median ${medianMiB.toFixed(1)}, largest ${largestMiB.toFixed(1)} MiB`,
      met: largestMiB < limits.residentMiB,
      numbers: { medianMiB, largestMiB },
    },
  ];
}
