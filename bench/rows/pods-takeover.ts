import { setTimeout as sleep } from 'node:timers/promises';
import { KedaClient } from '../../fakes/keda/keda-client.ts';
import { startNats } from '../../fakes/nats/cluster.ts';
import { goTool } from '../../test/support/tools/go.ts';
import { startGitHub, token, unlimited } from '../support/github.ts';
import { connection, owner } from '../support/github-pools.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import type { ScalerProcess } from '../support/scaler.ts';
import { median } from '../support/statistics.ts';

const repositories = 60;
const pods = 3;
const limitMs = 3_000;
const lookMs = 10;

export const podsTakeover: Row = {
  name: 'pods-takeover',
  about: `${pods} pods, the one that asks GitHub is killed (kill -9) while it sweeps: until another one asks`,
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const rounds = quick ? 3 : 10;
  const nats = await startNats({ program: await goTool('nats-server') });
  const github = await startGitHub(repositories);
  unlimited(github);
  for (let repo = 0; repo < repositories; repo++)
    github.seedRun(`repo-${repo}`, { jobs: [{ labels: ['self-hosted'] }] });
  const settings = {
    security: { allowPlaintextSecrets: true },
    eventLog: { type: 'nats', servers: nats.urls },
    connections: {
      // Makes it sweep all the time.
      [connection]: { source: 'github', owner, apiUrl: github.url, token, sweepSeconds: 1 },
    },
  };
  const running = new Set<ScalerProcess>();
  const more = async (): Promise<void> => void running.add(await checkout.serve(settings));
  const takenMs: number[] = [];
  let lowest = Number.POSITIVE_INFINITY;
  let answers = 0;
  let errors = 0;
  try {
    await Promise.all(Array.from({ length: pods }, more));
    for (let round = 0; round < rounds; round++) {
      const holder = await holderOf(running);
      const others = [...running].filter((pod) => pod !== holder);
      const ask = others.map((pod) => new KedaClient(pod.address, reference));
      await Promise.all(ask.map((client) => known(client)));
      const watched = watch(ask, (value) => {
        answers += 1;
        if (value === undefined) errors += 1;
        else lowest = Math.min(lowest, value);
      });
      await sleep(Math.random() * 1_000);
      const killedMs = performance.now();
      process.kill(holder.process.pid, 'SIGKILL');
      running.delete(holder);
      await holderOf(running);
      takenMs.push(performance.now() - killedMs);
      progress(`taken over after ${takenMs.at(-1)?.toFixed(0)} ms`);
      await watched();
      for (const client of ask) client.close();
      await holder.stop();
      await more();
    }
  } finally {
    for (const pod of running) await pod.stop();
    await github.close();
    await nats.stop();
  }
  const [least, middle, most] = [Math.min(...takenMs), median(takenMs), Math.max(...takenMs)];
  return [
    {
      what: `the pod that asks GitHub is killed: until another asks, ${pods} pods`,
      target: `<= ${limitMs / 1000} s`,
      measured: `min ${least.toFixed(0)}, median ${middle.toFixed(0)}, max ${most.toFixed(0)} ms of ${rounds} (of ${answers} answers of the others ${errors} were errors, and the lowest number was ${lowest} of ${repositories})`,
      met: most <= limitMs && lowest === repositories,
      numbers: { leastMs: least, medianMs: middle, mostMs: most, rounds, answers, errors, lowest },
    },
  ];
}

const reference = {
  name: 'runners',
  namespace: 'ci',
  scalerMetadata: { source: 'github', connection },
};

/** Resolves with the pod that has the lease. */
async function holderOf(running: Iterable<ScalerProcess>): Promise<ScalerProcess> {
  for (;;) {
    for (const pod of running) {
      if (/^backlog_scaler_leases_held\{.*\} 1$/m.test(await pod.exposition())) return pod;
    }
    await sleep(lookMs);
  }
}

async function known(client: KedaClient): Promise<void> {
  while ((await client.value('').catch(() => undefined)) !== repositories) await sleep(lookMs);
}

/** Calls all of them again and again, until the returned function is called. */
function watch(clients: readonly KedaClient[], heard: (value: number | undefined) => void) {
  let over = false;
  const loops = clients.map(async (client) => {
    while (!over) {
      heard(await client.value('').catch(() => undefined));
      await sleep(lookMs);
    }
  });
  return async (): Promise<void> => {
    over = true;
    await Promise.all(loops);
  };
}
