import type { EventFeed } from '../../src/sources/inbound.ts';
import type { SourceMetrics } from '../../src/telemetry/metrics.ts';

/** For a connection whose metrics do not matter. */
export const unmeasured: SourceMetrics = { request() {}, rateLimitRemaining() {}, corrected() {} };

/** A feed without events. */
export const silence: EventFeed = {
  keptSince: () => ({ atMs: performance.timeOrigin, because: 'memory' }),
  follow: (_, replayed) => {
    replayed?.();
    return () => {};
  },
};
