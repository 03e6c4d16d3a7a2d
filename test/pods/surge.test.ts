import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type KedaEvent, MiniKeda } from '../../fakes/keda/mini-keda.ts';
import { newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { ref } from '../support/rpc-client.ts';
import { lines } from '../support/toy-source/index.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const nats = useNats();
const pin = 'the pin of the lines';
/** Nothing looks by a clock in this test. */
const never = 3_600_000;

async function startPod(directory: string, stream: string): Promise<WholeScaler> {
  const pod = await WholeScaler.start(
    {
      eventLog: { type: 'nats', servers: nats().urls, stream },
      connections: { paper: { source: 'lines', directory, pin, activeReadMs: 20 } },
    },
    {},
    { sources: [lines] },
  );
  onTestFinished(() => pod.stop());
  return pod;
}

async function answered(pods: readonly WholeScaler[]): Promise<number> {
  const pages = await Promise.all(
    pods.map(async (pod) => (await fetch(`http://127.0.0.1:${pod.port('admin')}/metrics`)).text()),
  );
  const counts = pages.map((page) => /^backlog_scaler_nudges_total\{outcome="answered"\} (\d+)$/m.exec(page));
  return counts.reduce((sum, found) => sum + Number(found?.[1] ?? 0), 0);
}

it('three pods behind a round robin get all replicas only by the HPA’s looks at nudges', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-lines-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const fill = (count: number) => writeFile(join(directory, 'orders.txt'), 'x\n'.repeat(count));
  await writeFile(join(directory, '.pin'), pin);
  await fill(0);
  const stream = newStream();
  const pods = await Promise.all([1, 2, 3].map(() => startPod(directory, stream)));
  for (const { log } of pods) {
    await expect.poll(() => log.lines.map(({ message }) => message)).toContain('connected to NATS');
  }
  const workload = {
    replicas: 0,
    scale(replicas: number): void {
      this.replicas = replicas;
    },
  };
  const events: KedaEvent[] = [];
  const keda = new MiniKeda({
    address: `ipv4:${pods.map((pod) => `127.0.0.1:${pod.port('grpc')}`).join(',')}`,
    reference: ref('printer', {
      source: 'lines',
      connection: 'paper',
      file: 'orders.txt',
      linesPerReplica: '10',
    }),
    workload,
    timings: {
      pollingIntervalMs: never,
      hpaSyncMs: never,
      cooldownPeriodMs: never,
      downscaleStabilizationMs: never,
    },
    maxReplicaCount: 100,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => keda.stop());
  keda.start();
  const targets = () => events.flatMap((event) => (event.kind === 'rewritten' ? [event.perReplica] : []));
  await expect.poll(() => events.filter(({ kind }) => kind === 'answered').length).toBeGreaterThan(0);
  await expect.poll(() => events.filter(({ kind }) => kind === 'pushed').length).toBeGreaterThan(0);
  await fill(200);
  await expect.poll(() => workload.replicas).toBe(20);
  await expect.poll(() => targets().at(-1)).toBe(10);
  // A single pod would have seen every third look.
  expect(await answered(pods)).toBeGreaterThanOrEqual(3);
  const before = targets().length;
  await fill(700);
  await expect.poll(() => workload.replicas).toBe(70);
  await expect.poll(() => targets().at(-1)).toBe(10);
  expect(targets().length).toBeGreaterThan(before);
  const scaled = events.flatMap((event) => (event.kind === 'scaled' ? [event.by] : []));
  expect(new Set(scaled)).toEqual(new Set(['push', 'hpa change']));
  expect(pods.flatMap(({ log }) => log.lines.filter(({ level }) => level === 'warn'))).toEqual([]);
});
