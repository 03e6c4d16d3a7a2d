import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';
import { Followers } from '../support/followers.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import type { ScalerProcess } from '../support/scaler.ts';
import { BenchSqs, hint, queueName, serveSqs, worker } from '../support/sqs.ts';
import { median, quantile } from '../support/statistics.ts';

const queues = 300;
const perSecond = 30;
const limitMs = 150;

export const sqsHint: Row = {
  name: 'sqs-hint',
  about: `from a hint over a read of the queue to \`true\` on StreamIsActive, at ${perSecond} hints/s`,
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const sqs = await BenchSqs.start();
  const scaler = await serveSqs(checkout, sqs);
  const names = Array.from({ length: queues }, (_, index) => queueName(index));
  const followers = new Followers(scaler.address, new Map(names.map((name) => [name, worker(name)])));
  const waking = new Waking(sqs, scaler, followers);
  try {
    await waking.allInactive(names);
    const warmUp = await waking.run(names, 3000);
    await Promise.all(warmUp);
    const startedMs = performance.now();
    const [requests, cpuSeconds] = [await sqs.requests(), await scaler.process.cpuSeconds()];
    const tookMs = await Promise.all(await waking.run(names, quick ? 5000 : 60_000));
    const seconds = (performance.now() - startedMs) / 1000;
    const requestsPerSecond = ((await sqs.requests()) - requests) / seconds;
    const scalerCpuPercent = (((await scaler.process.cpuSeconds()) - cpuSeconds) / seconds) * 100;
    progress(`${tookMs.length} wakes, p50 ${median(tookMs).toFixed(2)} ms`);
    return [finding({ tookMs, requestsPerSecond, scalerCpuPercent })];
  } finally {
    waking.stop();
    followers.close();
    await scaler.stop();
    await sqs.stop();
  }
}

/** Queues that get a message and its hint, and are emptied again. One pod may get the hint, and another send `true`. */
export class Waking {
  private readonly sqs: BenchSqs;
  private readonly hinted: ScalerProcess;
  private readonly followers: Followers;
  private readonly keda: InstanceType<typeof ExternalScaler>;
  private readonly busy = new Set<string>();
  private stopped = false;

  constructor(sqs: BenchSqs, scaler: ScalerProcess, followers: Followers, hinted = scaler) {
    this.sqs = sqs;
    this.hinted = hinted;
    this.followers = followers;
    this.keda = new ExternalScaler(scaler.address, credentials.createInsecure());
  }

  async allInactive(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.inactive(name)));
  }

  /** Runs for this long, at random times. Returns the ms from each hint to its `true`. */
  async run(names: readonly string[], durationMs: number): Promise<Promise<number>[]> {
    const wakes: Promise<number>[] = [];
    const startedMs = performance.now();
    for (let nextMs = 0; nextMs < durationMs; nextMs += (-Math.log(1 - Math.random()) * 1000) / perSecond) {
      await sleep(Math.max(0, startedMs + nextMs - performance.now()));
      const idle = names.filter((name) => !this.busy.has(name));
      const name = idle[Math.floor(Math.random() * idle.length)];
      if (name === undefined) throw new Error('every queue is busy: there are too few for this many wakes');
      const took = this.wake(name);
      // Handled by the caller, who waits for all. Until then a failure must not count as unhandled.
      took.catch(() => {});
      wakes.push(took);
    }
    return wakes;
  }

  stop(): void {
    this.stopped = true;
    this.keda.close();
  }

  private async wake(name: string): Promise<number> {
    this.busy.add(name);
    await this.sqs.setMessages(name, 1);
    const told = this.followers.nextTrue(name);
    const postedMs = performance.now();
    await hint(this.hinted, name);
    const tookMs = (await told) - postedMs;
    void this.empty(name);
    return tookMs;
  }

  private async empty(name: string): Promise<void> {
    await this.sqs.setMessages(name, 0);
    await this.inactive(name);
    this.busy.delete(name);
  }

  private async inactive(name: string): Promise<void> {
    while (!this.stopped && (await this.isActive(name)) !== false) await sleep(500);
  }

  private isActive(name: string): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      this.keda.IsActive(worker(name), (_, answer) => resolve(answer?.result));
    });
  }
}

interface Measured {
  readonly tookMs: readonly number[];
  readonly requestsPerSecond: number;
  readonly scalerCpuPercent: number;
}

function finding({ tookMs, requestsPerSecond, scalerCpuPercent }: Measured): Finding {
  const p50Ms = median(tookMs);
  const p99Ms = quantile(tookMs, 0.99);
  const maxMs = Math.max(...tookMs);
  const took = `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)}`;
  const asked = `${requestsPerSecond.toFixed(0)} requests/s, ${scalerCpuPercent.toFixed(0)} % of a core`;
  return {
    what: `hint posted to \`true\` on StreamIsActive, ${queues} queues, of an SQS stub that answers at once`,
    target: `p99 <= ${limitMs} ms`,
    measured: `${took} (${tookMs.length} wakes; ${asked})`,
    met: p99Ms <= limitMs,
    numbers: {
      p50Ms,
      p99Ms,
      maxMs,
      wakes: tookMs.length,
      queues,
      perSecond,
      requestsPerSecond,
      scalerCpuPercent,
    },
  };
}
