/** The times that decide how fast KEDA and the HPA act. */
export interface KedaTimings {
  readonly pollingIntervalMs: number;
  readonly cooldownPeriodMs: number;
  readonly hpaSyncMs: number;
  readonly downscaleStabilizationMs: number;
}

/** KEDA 2.21's and Kubernetes 1.36's own. */
export const defaultTimings: KedaTimings = {
  pollingIntervalMs: 30_000,
  cooldownPeriodMs: 300_000,
  hpaSyncMs: 15_000,
  downscaleStabilizationMs: 300_000,
};

export function speededUp(timings: KedaTimings, times: number): KedaTimings {
  return {
    pollingIntervalMs: timings.pollingIntervalMs / times,
    cooldownPeriodMs: timings.cooldownPeriodMs / times,
    hpaSyncMs: timings.hpaSyncMs / times,
    downscaleStabilizationMs: timings.downscaleStabilizationMs / times,
  };
}

/** How many times faster than by default KEDA runs in the demo, so that a day's work fits into a minute. */
export const demoSpeed = 30;
export const demoTimings = speededUp(defaultTimings, demoSpeed);
