import { setFlagsFromString } from 'node:v8';

/** How much the heap may grow between two full collections, in percent of what is alive. */
const growthPercent = 40;

/**
 * Most of our heap is open streams that live for days, and little is garbage. V8 by default lets it grow to
 * several times what is alive before it collects, and gives little of that back; `npm run bench -- --only
 * latency` shows the memory with 20,000 streams. The price is a full collection more often.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}
