import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkout } from '../support/checkout.ts';
import { Followers } from '../support/followers.ts';
import { evaluationsAMinute } from '../support/keda.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { BenchSqs, hint, queueName, serveSqs, startSqsKedaWay, worker } from '../support/sqs.ts';

const queues = 10;
const scaledObjects = 100;
const daySeconds = 86_400;
/** For GetQueueAttributes, in AWS's price list for most regions. */
const usdPerMillion = 0.4;
const monthDays = 30;

const names = Array.from({ length: queues }, (_, index) => queueName(index));

export const sqsCost: Row = {
  name: 'sqs-cost',
  about: `requests a day for ${scaledObjects} ScaledObjects on ${queues} queues, and KEDA's for the same`,
  measure,
};

interface Cost {
  readonly requestsPerDay: number;
  readonly requests: number;
  readonly seconds: number;
}

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const windowMs = quick ? 10_000 : 60_000;
  const sqs = await BenchSqs.start();
  try {
    const scene: Scene = { checkout, sqs, windowMs, progress };
    return [
      ...(await measureKeda(scene)),
      ...(await measureOurs(scene, { idleReadSeconds: 5, activeReadSeconds: 2, hinted: false })),
      ...(await measureOurs(scene, { idleReadSeconds: 30, activeReadSeconds: 15, hinted: true })),
    ];
  } finally {
    await sqs.stop();
  }
}

interface Cadence {
  readonly idleReadSeconds: number;
  readonly activeReadSeconds: number;
  /** Whether to measure it also under constant hints. */
  readonly hinted: boolean;
}

interface Scene {
  readonly checkout: Checkout;
  readonly sqs: BenchSqs;
  readonly windowMs: number;
  progress(line: string): void;
}

async function measureKeda(scene: Scene): Promise<Finding[]> {
  const keda = await startSqsKedaWay(scene.sqs, { queues, scaledObjects });
  try {
    const findings: Finding[] = [];
    for (const [state, rate] of Object.entries(evaluationsAMinute)) {
      keda.tell({ evaluationsAMinute: rate });
      const what = `KEDA's way, ${state === 'quiet' ? 'at zero replicas' : 'with replicas'}`;
      findings.push(finding(what, await count(scene)));
    }
    return findings;
  } finally {
    await keda.stop();
  }
}

async function measureOurs(scene: Scene, { hinted, ...cadence }: Cadence): Promise<Finding[]> {
  const { checkout, sqs, progress } = scene;
  await setAll(sqs, 0);
  const scaler = await serveSqs(checkout, sqs, cadence);
  const references = Array.from({ length: scaledObjects }, (_, index) =>
    worker(queueName(index % queues), index),
  );
  const followers = new Followers(
    scaler.address,
    new Map(references.map((reference) => [String(reference.name), reference])),
  );
  const ours = `ours, read every ${cadence.idleReadSeconds} s idle, ${cadence.activeReadSeconds} s active`;
  try {
    await sleep(3000);
    const findings = [finding(`${ours}: all queues empty`, await count(scene))];
    await setAll(sqs, 20);
    const told = names.map((name, index) => followers.nextTrue(`${name}-worker-${index}`));
    await Promise.all(names.map((name) => hint(scaler, name)));
    await Promise.all(told);
    progress('every queue is awake');
    // The reads after a hint, at 1, 3, 10, 30 and 60 s, are not part of the window.
    await sleep(scene.windowMs + 3000);
    findings.push(finding(`${ours}: messages in all`, await count(scene)));
    if (!hinted) return findings;
    const hinting = new AbortController();
    const hints = postHints((name) => hint(scaler, name), hinting.signal);
    findings.push(finding(`${ours}: the same, and 10 hints/s on each`, await count(scene)));
    hinting.abort();
    await hints;
    return findings;
  } finally {
    followers.close();
    await scaler.stop();
  }
}

async function postHints(post: (queue: string) => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Promise.all(names.map(post));
    await sleep(100);
  }
}

async function setAll(sqs: BenchSqs, messages: number): Promise<void> {
  await Promise.all(names.map((name) => sqs.setMessages(name, messages)));
}

async function count({ sqs, windowMs, progress }: Scene): Promise<Cost> {
  const startedMs = performance.now();
  const before = await sqs.requests();
  await sleep(windowMs);
  const requests = (await sqs.requests()) - before;
  const seconds = (performance.now() - startedMs) / 1000;
  progress(`${requests} requests in ${seconds.toFixed(0)} s`);
  return { requests, seconds, requestsPerDay: (requests / seconds) * daySeconds };
}

function finding(what: string, { requests, seconds, requestsPerDay }: Cost): Finding {
  const usdPerMonth = (requestsPerDay * monthDays * usdPerMillion) / 1e6;
  const shown = Math.round(requestsPerDay).toLocaleString('en-US');
  return {
    what: `SQS requests a day, ${scaledObjects} ScaledObjects on ${queues} queues: ${what}`,
    target: '-',
    measured: `${shown}, or $${usdPerMonth.toFixed(2)} a month (${requests} counted in ${seconds.toFixed(0)} s)`,
    numbers: { requestsPerDay, usdPerMonth, requests, seconds },
  };
}
