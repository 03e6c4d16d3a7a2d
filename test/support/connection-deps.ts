import type { EventFeed } from '../../src/sources/source.ts';
import type { SourceMetrics } from '../../src/telemetry/metrics.ts';

/** For a connection whose counting does not matter. */
export const unmeasured: SourceMetrics = { request() {}, rateLimitRemaining() {}, corrected() {} };

/** No event ever comes. */
export const silence: EventFeed = {
  keptSince: () => ({ atMs: performance.timeOrigin, because: 'memory' }),
  follow: (_, replayed) => {
    replayed?.();
    return () => {};
  },
};
