import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { sumBy, total } from '../../bench/support/exposition.ts';
import { KedaClient } from '../../fakes/keda/keda-client.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import type { Fault } from '../fault.ts';
import type { Stage } from '../stage.ts';
import { risePerHour } from '../trend.ts';

const sampleEveryMs = 10_000;
const restartEveryMs = 60_000;
const restartGraceMs = 8000;
const burstEveryMs = 20_000;
/** Webhooks in a burst. */
const redelivered = 200;
const reloadEveryMs = 15_000;
/** ScaledObjects beside those of the backlogs. Each lives for about ten seconds. */
const churned = 60;
const churnEveryMs = 170;
/** A shorter run shows no trend. */
const leastSeconds = 600;

/**
 * How much each may rise in an hour, by the second half of the samples; the heap beside what it has to remember. V8 still
 * compiles some functions. A loss of 400 bytes with each ScaledObject would exceed all of the heap's.
 */
const mostRisePerHour: Readonly<Record<keyof Sample, number>> = {
  heapMiB: 8,
  residentMiB: 40,
  handles: 12,
  descriptors: 12,
  streams: 30,
};

/**
 * What an ended job or run takes, by two heap snapshots of a soak. The ledger has 180 bytes of it, for 72 hours and up to
 * 500,000 of each. The rest is in answers of REST that are kept with their ETags, up to 32 MiB.
 */
const rememberedBytes = 500;

interface Sample {
  /** Left after a collection, with buffers outside of the heap. */
  readonly heapMiB: number;
  readonly residentMiB: number;
  readonly handles: number;
  readonly descriptors: number;
  readonly streams: number;
}

interface Taken extends Sample {
  readonly atSeconds: number;
  /** Jobs and runs of GitHub by then; all but a few have ended. */
  readonly ended: number;
}

/** Idle triggers are soon forgotten, and everything kept is full before the second half begins. */
const settings = {
  limits: { firstSyncTimeoutSeconds: 10, leaseSeconds: 20, maxLeaseSeconds: 30 },
  history: { hours: 0.05, bytes: 262_144 },
};

export const soak: Fault = {
  name: 'soak',
  about: 'ScaledObjects come and go, a broker restarts, webhooks burst, the configuration is reloaded',
  seconds: 1200,
  onlyByName: true,
  scene: () => ({ kafka: { topics: 3 }, sqs: 2, github: 3, events: 2, ttlSeconds: 180, settings }),
  async run(stage, seconds) {
    const over = new AbortController();
    const { signal } = over;
    const counts = { restarts: 0, bursts: 0, reloads: 0, scaledObjects: 0 };
    const { traffic } = stage;
    const { cluster } = stage.theKafka;
    const { hub } = stage.theGitHub;
    const samples: Taken[] = [];
    const startedMs = performance.now();
    const all = Promise.all([
      every(restartEveryMs, signal, async () => {
        stage.invariants.broken(performance.now());
        await cluster.broker(1).kill();
        await cluster.restart(1);
        stage.invariants.healed(performance.now(), restartGraceMs);
        counts.restarts++;
      }),
      every(burstEveryMs, signal, async () => {
        await traffic.burst(3);
        // Old events are sent again, so that a burst adds nothing to remember.
        for (const guid of hub.guids().slice(-redelivered)) hub.redeliver(guid);
        counts.bursts++;
      }),
      every(reloadEveryMs, signal, async () => {
        await stage.pod.reload({
          history: { ...settings.history, bytes: 262_144 + (counts.reloads % 2) * 1024 },
          connections: { kafka: { requestTimeoutMs: 5000 + (counts.reloads % 3) * 100 } },
        });
        counts.reloads++;
      }),
      churn(stage, signal, () => counts.scaledObjects++),
      every(sampleEveryMs, signal, async () => {
        const atSeconds = (performance.now() - startedMs) / 1000;
        try {
          const sample = await sampleOf(stage);
          samples.push({ ...sample, atSeconds, ended: stage.theGitHub.started });
          stage.progress(`${atSeconds.toFixed(0)} s: ${inWords(sample)}`);
        } catch (error) {
          // The machine is too busy for it. A missing sample does not matter.
          stage.progress(`${atSeconds.toFixed(0)} s: no sample: ${String(error)}`);
        }
      }),
    ]);
    await Promise.race([sleep(seconds * 1000), all]);
    over.abort();
    await all;
    const rises = judge(stage, samples, seconds);
    const { restarts, bursts, reloads, scaledObjects } = counts;
    return `${restarts} restarts, ${bursts} bursts, ${reloads} reloads, ${scaledObjects} ScaledObjects; ${rises}`;
  },
};

/** Does the job again and again until the end, the first time after one interval. */
async function every(ms: number, signal: AbortSignal, job: () => Promise<void>): Promise<void> {
  for (;;) {
    await sleep(ms, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    await job();
  }
}

/** Holds both streams of many ScaledObjects, replacing one at a time. A tenth of them is refused. */
async function churn({ pod, backlogs }: Stage, signal: AbortSignal, came: () => void): Promise<void> {
  const alive: KedaClient[] = [];
  let number = 0;
  await every(churnEveryMs, signal, async () => {
    const of = backlogs[number % backlogs.length]?.reference ?? {};
    const reference: ScaledObjectRef = {
      name: `churn-${number}`,
      namespace: `team-${number % 7}`,
      scalerMetadata: { ...of.scalerMetadata, ...(number % 10 === 0 ? { unknownKey: 'x' } : {}) },
    };
    number++;
    const client = new KedaClient(`127.0.0.1:${pod.grpcPort}`, reference);
    client.followActivity(() => {});
    client.followTarget(() => {});
    void client.value('').catch(() => {});
    alive.push(client);
    came();
    if (alive.length > churned) alive.shift()?.close();
  });
  for (const client of alive) client.close();
}

async function sampleOf({ pod }: Stage): Promise<Sample> {
  const { pid } = pod.process;
  const { heapBytes, residentBytes } = await pod.process.collected();
  return {
    heapMiB: heapBytes / 2 ** 20,
    residentMiB: residentBytes / 2 ** 20,
    handles: await pod.process.handles(),
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
    streams: total(sumBy(await pod.exposition(), 'backlog_scaler_streams', 'rpc')),
  };
}

/** Reports what rises. If the run was long enough, a rise above the limit is a breach. */
function judge(stage: Stage, samples: readonly Taken[], seconds: number): string {
  const riseOf = (of: (sample: Taken) => number) =>
    risePerHour(samples.map((sample) => ({ atSeconds: sample.atSeconds, value: of(sample) })));
  const rememberedMiB = (riseOf(({ ended }) => ended) * rememberedBytes) / 2 ** 20;
  const what = Object.keys(mostRisePerHour) as (keyof Sample)[];
  const rises = what.map((name) => {
    const rise = riseOf((sample) => sample[name]);
    const most = mostRisePerHour[name] + (name === 'heapMiB' ? rememberedMiB : 0);
    const said = `${name} ${rise.toFixed(1)}/h`;
    if (seconds >= leastSeconds && rise > most)
      stage.invariants.notFlat(name, performance.now(), `${said}, at most ${most.toFixed(1)}`);
    return said;
  });
  rises.push(`of the heap ${rememberedMiB.toFixed(1)}/h for ended jobs`);
  const last = samples.at(-1);
  return `${rises.join(', ')}${last ? `; at the end ${inWords(last)}` : ''}`;
}

function inWords({ heapMiB, residentMiB, handles, descriptors, streams }: Sample): string {
  return `heap ${heapMiB.toFixed(1)} MiB, resident ${residentMiB.toFixed(0)} MiB, ${handles} handles, ${descriptors} descriptors, ${streams} streams`;
}
