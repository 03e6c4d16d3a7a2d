import { fileURLToPath } from 'node:url';
import { parameterViews } from '../../src/explain/parameters.ts';
import { explainTrigger } from '../../src/explain/text.ts';
import type { AnswerView } from '../../src/explain/view.ts';
import { sources } from '../../src/sources/index.ts';
import { readReference } from '../../src/triggers/resolve.ts';
import { chromium } from '../support/tools/chromium.ts';
import { launch, openPage } from './browser.ts';
import { type Actor, Scene, summaryOf } from './scene.ts';

/*
 * Writes the pictures of docs/images: the real page, over invented triggers.
 */

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const minute = 60_000;

type Shape = (minute: number) => number;
const quiet: Shape = () => 0;
const noise = (seed: number, at: number): number => Math.abs(Math.sin(at * 12.9898 + seed * 78.233)) % 1;
const burst =
  (at: number, most: number, minutes: number): Shape =>
  (now) =>
    now < at || now > at + minutes
      ? 0
      : most * Math.min(1, (now - at) / 1.5) * (1 - ((now - at) / minutes) ** 2);
const steady =
  (mean: number, seed: number): Shape =>
  (now) =>
    mean * (0.7 + 0.25 * Math.sin(now / 9 + seed) + 0.25 * noise(seed, Math.floor(now)));
const sum =
  (...shapes: Shape[]): Shape =>
  (now) =>
    shapes.reduce((total, shape) => total + shape(now), 0);

interface Cast {
  readonly name: string;
  readonly source: string;
  readonly connection: string;
  readonly target: number;
  readonly shape: Shape;
  readonly wake?: readonly [string, number];
  readonly nudgeMs?: number;
  readonly error?: string;
  readonly lastError?: readonly [string, number];
}

const cast: readonly Cast[] = [
  {
    name: 'shop/order-workers',
    source: 'kafka',
    connection: 'orders',
    target: 50,
    shape: sum(burst(70, 900, 9), burst(96, 2400, 13), burst(115, 3400, 40)),
    wake: ['watch', 5.1 * minute],
    nudgeMs: 4.9 * minute,
  },
  {
    name: 'shop/invoice-writer',
    source: 'kafka',
    connection: 'orders',
    target: 20,
    shape: steady(64, 3),
    wake: ['watch', 42 * minute],
  },
  {
    name: 'shop/stock-sync',
    source: 'sqs',
    connection: 'eu-central-1',
    target: 5,
    shape: burst(104, 180, 11),
    wake: ['hint', 16 * minute],
    nudgeMs: 15.9 * minute,
  },
  {
    name: 'shop/mail-sender',
    source: 'sqs',
    connection: 'eu-central-1',
    target: 10,
    shape: steady(31, 9),
    wake: ['sns', 12_000],
  },
  {
    name: 'media/thumbnails',
    source: 'sqs',
    connection: 'eu-central-1',
    target: 4,
    shape: sum(burst(64, 90, 8), burst(82, 140, 9), burst(101, 75, 6), burst(117.5, 160, 9)),
    wake: ['sns', 2.4 * minute],
    nudgeMs: 2.3 * minute,
  },
  {
    name: 'media/transcoder',
    source: 'kafka',
    connection: 'media',
    target: 2,
    shape: quiet,
    error:
      'connection media: the broker media-kafka-1.media:9093 cannot be reached: connect ECONNREFUSED; check bootstrapServers and that it runs',
  },
  {
    name: 'ci/runners-linux',
    source: 'github',
    connection: 'acme',
    target: 1,
    shape: sum(burst(66, 14, 10), burst(88, 22, 12), burst(112, 17, 12)),
    wake: ['webhook', 8_000],
    nudgeMs: 7_800,
  },
  {
    name: 'ci/runners-arm',
    source: 'github',
    connection: 'acme',
    target: 1,
    shape: burst(92, 6, 9),
    wake: ['webhook', 27.5 * minute],
  },
  {
    name: 'ci/image-builds',
    source: 'events',
    connection: 'builds',
    target: 1,
    shape: burst(109, 7, 14),
    wake: ['event', 3.2 * minute],
  },
  {
    name: 'search/indexer',
    source: 'kafka',
    connection: 'orders',
    target: 100,
    shape: steady(420, 5),
    wake: ['watch', 2.6 * 60 * minute],
    lastError: ['connection orders: the broker kafka-2.kafka:9093 did not answer in time', 38 * minute],
  },
  {
    name: 'search/embeddings',
    source: 'kafka',
    connection: 'orders',
    target: 10,
    shape: quiet,
    wake: ['watch', 5.2 * 60 * minute],
  },
  { name: 'payments/settlement', source: 'kafka', connection: 'orders', target: 10, shape: quiet },
  {
    name: 'payments/fraud-check',
    source: 'kafka',
    connection: 'orders',
    target: 25,
    shape: steady(88, 7),
    wake: ['watch', 71 * minute],
  },
  {
    name: 'payments/webhooks-out',
    source: 'sqs',
    connection: 'eu-central-1',
    target: 10,
    shape: burst(76, 60, 15),
    wake: ['hint', 44 * minute],
  },
  {
    name: 'analytics/clickstream',
    source: 'kafka',
    connection: 'orders',
    target: 500,
    shape: steady(5200, 2),
    wake: ['watch', 9.4 * 60 * minute],
  },
  { name: 'analytics/nightly-export', source: 'sqs', connection: 'eu-central-1', target: 1, shape: quiet },
];

/** The scaler's description of a trigger with these items, in four partitions. */
function explained(items: number): string {
  const metadata = {
    scalerAddress: 'backlog-scaler.keda:6000',
    source: 'kafka',
    connection: 'orders',
    consumerGroup: 'order-workers',
    topic: 'orders',
    lagThreshold: '50',
    allowIdleConsumers: 'true',
  };
  const reference = { namespace: 'shop', name: 'order-workers', metadata };
  const parameters = parameterViews(readReference(reference, { sources, refuseSecretsFromEnv: false }));
  const rows = [0, 1, 2, 3].map((partition) => {
    const lag = Math.floor((items + partition) / 4);
    const committed = 81_204 + 317 * partition;
    const said = { committed, logStart: 0, end: committed + lag };
    return { name: `orders/${partition}`, items: lag, because: 'end - committed', said };
  });
  const result = { result: 'true' };
  const metricName = 'kafka-order-workers-orders';
  const spec = { metricName, targetSize: '50', targetSizeFloat: '50' };
  const metric = { metricName, metricValue: String(items), metricValueFloat: String(items) };
  const answers: readonly AnswerView[] = [
    { rpc: 'IsActive', kind: 'answer', fields: result },
    { rpc: 'StreamIsActive', kind: 'answer', fields: result },
    { rpc: 'GetMetricSpec', kind: 'answer', fields: spec },
    { rpc: 'StreamMetricSpec', kind: 'answer', fields: spec },
    { rpc: 'GetMetrics', kind: 'answer', fields: metric },
  ];
  const working = { unit: 'partitions', rows, more: { rows: 0, items: 0 }, rules: [] };
  const title = 'Trigger of shop/order-workers';
  return explainTrigger({ title, parameters, faults: [], working, answers, notes: [] }, { columns: 96 });
}

function actorOf(
  { name, source, connection, target, shape, wake, nudgeMs, error, lastError }: Cast,
  n: number,
): Actor {
  const [namespace = '', own = ''] = name.split('/');
  const items = Math.max(0, Math.round(shape(120)));
  const known = error === undefined;
  const { surge: _, ...summary } = summaryOf(n, {
    id: `made-up-${n}`,
    namespace,
    name: own,
    source,
    connection,
    metricName: `${source}-${own}`,
    up: known,
    target,
    ageMs: known ? 400 + 190 * (n % 7) : 94_000,
    ...(wake && { lastWake: { cause: wake[0], ageMs: wake[1] } }),
    ...(nudgeMs !== undefined && { lastNudge: { ageMs: nudgeMs } }),
    ...(error !== undefined && { error }),
    ...(lastError && { lastError: { message: lastError[0], ageMs: lastError[1] } }),
  });
  const { items: _i, value: _v, desired: _d, active: _a, ...without } = summary;
  const numbers = { items, value: items, desired: Math.ceil(items / target), active: items > 0 };
  return { summary: known ? { ...without, ...numbers } : without, itemsAt: shape };
}

const scene = new Scene();
for (const [n, one] of cast.entries()) scene.add(actorOf(one, n));
scene.connections = [
  { name: 'orders', source: 'kafka', subjects: 7, requestsPerMinute: 138 },
  { name: 'media', source: 'kafka', subjects: 1, requestsPerMinute: 6 },
  { name: 'eu-central-1', source: 'sqs', subjects: 5, requestsPerMinute: 24 },
  { name: 'acme', source: 'github', subjects: 1, requestsPerMinute: 3.4, remaining: 4_312, granted: 5_000 },
  { name: 'builds', source: 'events', subjects: 1, requestsPerMinute: 0 },
];
scene.explain = explained(scene.summaries.get('made-up-0')?.items ?? 0);
const url = await scene.start();
const browser = await launch(await chromium());
for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, hash] of [
    ['list', '#/'],
    ['trigger', '#/triggers/made-up-0'],
  ] as const) {
    const { page, complaints } = await openPage(browser, url + hash, {
      colorScheme,
      viewport: { width: 1440, height: 900 },
    });
    await page.waitForTimeout(2_000);
    await page.screenshot({ path: `${folder}status-page-${name}-${colorScheme}.png` });
    for (const complaint of complaints) console.error(complaint);
    await page.close();
  }
}
await browser.close();
await scene.stop();
