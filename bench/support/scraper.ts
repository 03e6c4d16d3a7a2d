import { parentPort } from 'node:worker_threads';

/*
 * Prometheus beside the load. It requests /metrics, and reports how long that took and how many bytes came. It is a
 * thread of its own, so that megabytes of text do not delay the timed answers.
 */

parentPort?.on('message', async (url: string) => {
  const startedMs = performance.now();
  const response = await fetch(url);
  const bytes = (await response.arrayBuffer()).byteLength;
  parentPort?.postMessage({ tookMs: performance.now() - startedMs, bytes });
});
