import { defaultTimings, type KedaEvent, type KedaTimings, type Scaling } from '../fakes/keda/mini-keda.ts';

/** How much faster than by default KEDA runs in the demo, so that a day's work fits into a minute. */
export const demoSpeed = 30;
export const demoTimings = speededUp(defaultTimings, demoSpeed);

/** An event as a line. Undefined for an event that happens all the time. */
export function eventText(event: KedaEvent): string | undefined {
  if (event.kind === 'failed') return `the scaler answered with an error: ${event.message}`;
  if (event.kind === 'pushed') return event.active ? 'the stream says true' : undefined;
  if (event.kind !== 'scaled') return undefined;
  return `${names[event.by]}: ${event.from} → ${event.to} replicas (${event.because})`;
}

const names: Record<Scaling, string> = {
  push: 'KEDA (push)',
  poll: 'KEDA (poll)',
  'hpa clock': 'the HPA (by its clock)',
  'hpa change': 'the HPA (its spec has changed)',
};

/** The speed of KEDA and the HPA, beside the default. */
export function timingsText(speed: number): string {
  if (speed === 1) {
    const { pollingIntervalMs, hpaSyncMs } = defaultTimings;
    return `KEDA's and the HPA's clocks run as by default: a poll every ${pollingIntervalMs / 1000} s, a look of the HPA every ${hpaSyncMs / 1000} s.`;
  }
  const timings = speededUp(defaultTimings, speed);
  const seconds = (ms: number) => `${ms / 1000} s`;
  const row = (name: string, key: keyof KedaTimings) =>
    `  ${name.padEnd(30)} ${seconds(timings[key]).padStart(5)}  (default ${seconds(defaultTimings[key])})`;
  return [
    `KEDA and the HPA run ${speed} times faster than by default:`,
    row('pollingInterval', 'pollingIntervalMs'),
    row('cooldownPeriod', 'cooldownPeriodMs'),
    row('HPA sync', 'hpaSyncMs'),
    row('HPA downscale stabilisation', 'downscaleStabilizationMs'),
  ].join('\n');
}

function speededUp(timings: KedaTimings, times: number): KedaTimings {
  return {
    pollingIntervalMs: timings.pollingIntervalMs / times,
    cooldownPeriodMs: timings.cooldownPeriodMs / times,
    hpaSyncMs: timings.hpaSyncMs / times,
    downscaleStabilizationMs: timings.downscaleStabilizationMs / times,
  };
}
