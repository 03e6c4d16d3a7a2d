import { defaultTimings, type KedaEvent, type KedaTimings } from '../fakes/keda/mini-keda.ts';

/** How many times faster than by default KEDA runs in the demo, so that a day's work fits into a minute. */
export const demoSpeed = 30;
export const demoTimings = speededUp(defaultTimings, demoSpeed);

/** What has happened, in a line; undefined for what happens all the time. */
export function eventText(event: KedaEvent): string | undefined {
  if (event.kind === 'failed') return `the scaler answered with an error: ${event.message}`;
  if (event.kind === 'pushed') return event.active ? 'the stream says true' : undefined;
  if (event.kind === 'answered') return undefined;
  const who = event.by === 'hpa' ? 'the HPA' : `KEDA (${event.by})`;
  return `${who}: ${event.from} → ${event.to} replicas (${event.because})`;
}

/** How fast KEDA and the HPA run, next to how fast they do by default. */
export function timingsText(speed: number, timings: KedaTimings): string {
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
