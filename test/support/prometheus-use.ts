import { beforeAll, beforeEach } from 'vitest';
import { type PrometheusTools, PrometheusUnavailable, prometheusTools } from './prometheus-tools.ts';

/** Twenty megabytes from a mirror, and package lists before them. */
const fetchLimitMs = 5 * 60_000;

/**
 * Gives a function that tells where Prometheus and promtool are. Where they cannot be had the tests of the file are
 * skipped and the reason is printed; where `CI` is set they fail.
 */
export function usePrometheus(): () => PrometheusTools {
  let tools: PrometheusTools | undefined;
  let missing: string | undefined;

  beforeAll(async () => {
    try {
      tools = await prometheusTools();
    } catch (error) {
      const inCi = !['', 'false', undefined].includes(process.env['CI']);
      if (inCi || !(error instanceof PrometheusUnavailable)) throw error;
      missing = error.message;
      console.warn(`skipped, Prometheus cannot be had: ${missing}`);
    }
  }, fetchLimitMs);

  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });

  return () => {
    if (tools === undefined) throw new Error('Prometheus is only there in tests');
    return tools;
  };
}
