import { parseArgs } from 'node:util';
import { githubCost } from './rows/github-cost.ts';
import { githubLedger } from './rows/github-ledger.ts';
import { githubPods } from './rows/github-pods.ts';
import { githubWake } from './rows/github-wake.ts';
import { growth } from './rows/growth.ts';
import { kafkaCost } from './rows/kafka-cost.ts';
import { latency } from './rows/latency.ts';
import { natsWake } from './rows/nats-wake.ts';
import { pods } from './rows/pods.ts';
import { podsCost } from './rows/pods-cost.ts';
import { podsTakeover } from './rows/pods-takeover.ts';
import { scale } from './rows/scale.ts';
import { senders } from './rows/senders.ts';
import { sqsCost } from './rows/sqs-cost.ts';
import { sqsHint } from './rows/sqs-hint.ts';
import { start } from './rows/start.ts';
import { surge } from './rows/surge.ts';
import { throughput } from './rows/throughput.ts';
import { wake } from './rows/wake.ts';
import { Checkout } from './support/checkout.ts';
import { Clusters } from './support/clusters.ts';
import { pairedTable, type RowReport, table, writeJson } from './support/report.ts';
import type { Bench, Row } from './support/row.ts';

const rows: readonly Row[] = [
  start,
  throughput,
  latency,
  surge,
  wake,
  scale,
  growth,
  kafkaCost(1),
  kafkaCost(3),
  githubWake,
  githubLedger,
  githubCost,
  senders,
  sqsHint,
  sqsCost,
  natsWake,
  pods,
  podsCost,
  podsTakeover,
  githubPods,
];

const usage = `npm run bench -- [--only ROW]... [--quick] [--against DIRECTORY [--pairs N]] [--json FILE]

Measures the built scaler beside what it is compared with; prints a table, and writes the numbers as JSON to
bench/results/ or FILE. The exit code is 1 where something could not be measured; a missed target is a result.
--quick: fewer rounds and shorter windows, to see that it works.
--against: another checkout, built there by \`npm ci && npm run build\`, whose scaler each row measures beside this
one's, one after the other on the same machine, N times (1), the other one first and last in turn. Clients, brokers
and Node are this checkout's for both.

${rows.map(({ name, about }) => `  ${name.padEnd(13)} ${about}\n`).join('')}`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    against: { type: 'string' },
    pairs: { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = await run();

async function run(): Promise<number> {
  const chosen = rows.filter(({ name, slow }) => values.only?.includes(name) ?? !(values.quick && slow));
  if (values.help || chosen.length === 0) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  const startedAt = new Date();
  const own = Checkout.own();
  const other = values.against === undefined ? undefined : Checkout.at(values.against);
  const clusters = new Clusters(progress);
  const kafka = (brokers: 1 | 3) => clusters.get(brokers);
  const reports: RowReport[] = [];
  try {
    for (const row of chosen) {
      for (const [index, checkout] of turns(row, own, other).entries()) {
        // So that neither finds what the other has left.
        if (other !== undefined) await clusters.stop();
        const bench: Bench = { quick: values.quick, checkout, progress, kafka };
        reports.push(await measure(row, { bench, pair: Math.floor(index / 2) }));
      }
    }
  } finally {
    await clusters.stop();
  }
  process.stdout.write(other === undefined ? table(reports) : pairedTable(reports, own.name, other.name));
  const file = values.json ?? `bench/results/${startedAt.toISOString().replaceAll(':', '-')}.json`;
  await writeJson(file, { quick: values.quick, startedAt, reports });
  progress(`the numbers are in ${file}`);
  return reports.some(({ fault }) => fault !== undefined) ? 1 : 0;
}

/** Whose scaler to measure, in turn. The two of a pair follow each other, and take turns in going first. */
function turns({ inProcess = false }: Row, own: Checkout, other: Checkout | undefined): Checkout[] {
  if (other === undefined || inProcess) return [own];
  return Array.from({ length: Number(values.pairs) }, (_, pair) =>
    pair % 2 === 0 ? [other, own] : [own, other],
  ).flat();
}

async function measure(
  { name: row, measure }: Row,
  { bench, pair }: { bench: Bench; pair: number },
): Promise<RowReport> {
  const startedMs = performance.now();
  const about = { row, checkout: bench.checkout.name, pair };
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  const label = values.against === undefined ? row : `${row}, ${bench.checkout.name}`;
  progress(label);
  try {
    const findings = await measure({ ...bench, progress: (line) => progress(`${label}: ${line}`) });
    return { ...about, seconds: seconds(), findings };
  } catch (reason) {
    const fault = reason instanceof Error ? reason.message : String(reason);
    progress(`${label}: ${fault}`);
    return { ...about, seconds: seconds(), findings: [], fault };
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
