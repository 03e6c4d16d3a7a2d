import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Each lists every handle, request and timer of the process anew at every scrape: tens of thousands. */
const costly = ['active_resources', 'active_handles', 'active_requests'].flatMap((name) => [
  `nodejs_${name}`,
  `nodejs_${name}_total`,
]);

/**
 * Adds what prom-client knows of the process: CPU, memory, open files, garbage collections, the event loop. The names
 * are its own, without our prefix: dashboards for Node know them. Once for a process, since what observes it never ends.
 */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of costly) registry.removeSingleMetric(name);
}
