import { setFlagsFromString } from 'node:v8';

/** How much the heap may grow between two full collections, in percent of what is alive. */
const growthPercent = 40;

/**
 * Most of our heap is open streams that live for days, and little is garbage. V8 by default would still let it
 * grow to several times what is alive before it collects, and never give that back: 495 MiB instead of 388
 * with 20,000 streams (`npm run bench -- --only latency`).
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}
