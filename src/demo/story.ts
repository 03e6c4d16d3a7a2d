import { setTimeout as sleep } from 'node:timers/promises';
import { quietAfterMs } from '../sources/kafka/history.ts';
import type { BacklogSampler } from './backlog-sampler.ts';
import type { KafkaTopic } from './kafka-topic.ts';
import type { Observer } from './observer.ts';
import { replicasForBurst, scenario } from './scenario.ts';
import { duration, type Outcome, type Wake } from './summary.ts';
import type { Workload } from './workload.ts';

export interface Stage {
  readonly topic: KafkaTopic;
  readonly workload: Workload;
  readonly observer: Observer;
  readonly backlog: BacklogSampler;
  /** Says which phase begins, in a few words. */
  phase(name: string, what: string): void;
  /** Says what has happened. */
  say(text: string): void;
  /** Ends the story early: what was not seen by then counts as not met. */
  readonly signal: AbortSignal;
}

/** A subject is watched when it is quiet; one more read finds that out, and the watch is armed after it. */
const asleepMs = quietAfterMs + 2_000;

const appendEveryMs = 100;
/** The burst follows in lots. All of it right behind the first record shares this process and a cold broker with the wake. */
const burstLots = 3;

/** What the workload goes through, and what came of it. Everything is waited for, nothing is assumed. */
export async function tell(stage: Stage): Promise<Omit<Outcome, 'rpcsAnswered' | 'requestsSent'>> {
  const { phase, observer, backlog } = stage;
  const outcome = {
    wakes: [] as Wake[],
    reachedAfterMs: undefined as number | undefined,
    zeroAfterMs: [] as (number | undefined)[],
  };

  phase(
    'asleep',
    `nothing to do, 0 replicas; after ${quietAfterMs / 1000} s without a record the scaler watches the topic`,
  );
  await pause(stage, asleepMs);

  phase(
    'burst',
    `${scenario.burst} records: ${scenario.lagThreshold} a replica make ${replicasForBurst} replicas`,
  );
  const burst = await wake(stage, () => appendEvery(stage, (scenario.burst - 1) / burstLots, burstLots));
  outcome.wakes.push(burst.wake);
  outcome.reachedAfterMs = await until(stage, () =>
    since(burst.ackedAtMs, observer.reachedSince(burst.ackedAtMs, replicasForBurst)),
  );

  phase('work', 'until the backlog is gone');
  await until(stage, () => backlog.clearedAtMs);

  phase('steady', `${scenario.steadyPerSecond} records a second`);
  const lots = scenario.steadyMs / appendEveryMs;
  await appendEvery(stage, (scenario.steadyPerSecond * appendEveryMs) / 1000, lots);

  phase(
    'stop',
    `no more records; to zero ${scenario.timings.cooldownPeriodMs / 1000} s after the last activity`,
  );
  const stoppedAtMs = performance.now();
  outcome.zeroAfterMs.push(await untilZero(stage));

  phase('asleep', 'until the topic is quiet again');
  await pause(stage, asleepMs - (performance.now() - stoppedAtMs));

  phase('one record', 'the second wake');
  outcome.wakes.push((await wake(stage)).wake);
  outcome.zeroAfterMs.push(await untilZero(stage));

  return {
    ...outcome,
    peakBacklog: backlog.peak,
    replicasWanted: replicasForBurst,
    peakReplicas: observer.peakReplicas,
    failedAnswers: observer.failures,
  };
}

/** One record onto the sleeping topic, and what comes `after` it. The wake is counted from the first one's ack. */
async function wake(stage: Stage, after?: () => Promise<void>): Promise<{ wake: Wake; ackedAtMs: number }> {
  const { topic, observer, backlog } = stage;
  const sentAtMs = performance.now();
  const ackedAtMs = await topic.append(1);
  backlog.appended();
  await after?.();
  const toldAfterMs = await until(stage, () => since(ackedAtMs, observer.firstPushSince(sentAtMs)));
  const startedAfterMs = await until(stage, () => since(ackedAtMs, observer.reachedSince(sentAtMs, 1)));
  stage.say(
    `woken: true on the stream ${duration(toldAfterMs)} after the record's ack, a replica ${duration(startedAfterMs)} after it`,
  );
  return { wake: { toldAfterMs, startedAfterMs }, ackedAtMs };
}

/** Appends `count` records `times` times, one lot every 100 ms. */
async function appendEvery(stage: Stage, count: number, times: number): Promise<void> {
  for (let done = 0; done < times && !stage.signal.aborted; done++) {
    await pause(stage, appendEveryMs);
    await stage.topic.append(count);
    stage.backlog.appended();
  }
}

/** Waits for zero replicas; the ms from no backlog to there. */
async function untilZero(stage: Stage): Promise<number | undefined> {
  const { backlog, workload } = stage;
  const clearedAtMs = await until(stage, () => backlog.clearedAtMs);
  if (clearedAtMs === undefined) return undefined;
  const zeroAtMs = await until(stage, () => (workload.replicas === 0 ? performance.now() : undefined));
  return since(backlog.clearedAtMs ?? clearedAtMs, zeroAtMs);
}

function since(fromMs: number, atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : atMs - fromMs;
}

async function until<T>(stage: Stage, look: () => T | undefined): Promise<T | undefined> {
  for (;;) {
    const seen = look();
    if (seen !== undefined || stage.signal.aborted) return seen;
    await pause(stage, 10);
  }
}

async function pause({ signal }: Stage, ms: number): Promise<void> {
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => {});
}
