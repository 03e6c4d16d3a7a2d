import { parentPort } from 'node:worker_threads';

/*
 * Prometheus beside the load: asks the address it is told for /metrics, and says how long that took and how much
 * came. A thread of its own, so that megabytes of text do not delay the answers that are being timed.
 */

parentPort?.on('message', async (url: string) => {
  const startedMs = performance.now();
  const response = await fetch(url);
  const bytes = (await response.arrayBuffer()).byteLength;
  parentPort?.postMessage({ tookMs: performance.now() - startedMs, bytes });
});
