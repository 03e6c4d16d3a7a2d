import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from './child-process.ts';
import { increase, total } from './exposition.ts';
import type { BenchKafka } from './kafka.ts';

/** The brokers' activity without any client. */
export interface Baseline {
  /** Their requests to each other and to themselves, by name and version. */
  readonly requests: ReadonlySet<string>;
  readonly connections: number;
}

export async function baselineOf(kafka: BenchKafka, windowMs: number): Promise<Baseline> {
  const before = await kafka.counts();
  await sleep(windowMs);
  const after = await kafka.counts();
  const counted = [...increase(before.requests, after.requests)].filter(([, count]) => count > 0);
  return { requests: new Set(counted.map(([name]) => name)), connections: after.connections };
}

/** The cost of a stretch of time. */
export interface Cost {
  readonly seconds: number;
  readonly byRequest: ReadonlyMap<string, number>;
  readonly requestsPerSecond: number;
  readonly connections: number;
  /** Of one core. */
  readonly brokerCpuPercent: number;
  readonly clientCpuPercent: number;
}

/** Counts, at the brokers, what a client costs during a stretch of time. The baseline's requests are left out. */
export async function costOf(
  { kafka, client, baseline }: { kafka: BenchKafka; client: NodeProcess; baseline: Baseline },
  meanwhile: Promise<unknown>,
): Promise<Cost> {
  const startedMs = performance.now();
  const [before, cpuBefore] = [await kafka.counts(), await client.cpuSeconds()];
  await meanwhile;
  const [after, cpuAfter] = [await kafka.counts(), await client.cpuSeconds()];
  const seconds = (performance.now() - startedMs) / 1000;
  const counted = [...increase(before.requests, after.requests)];
  const byRequest = new Map(counted.filter(([name, count]) => count > 0 && !baseline.requests.has(name)));
  return {
    seconds,
    byRequest,
    requestsPerSecond: total(byRequest) / seconds,
    connections: after.connections - baseline.connections,
    brokerCpuPercent: ((after.cpuSeconds - before.cpuSeconds) / seconds) * 100,
    clientCpuPercent: ((cpuAfter - cpuBefore) / seconds) * 100,
  };
}

/** `Fetch v11 12, ListOffsets v3 4`, the most frequent first. */
export function listed(byRequest: ReadonlyMap<string, number>): string {
  const sorted = [...byRequest].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
}
