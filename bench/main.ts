import { parseArgs } from 'node:util';
import { githubCost } from './rows/github-cost.ts';
import { githubLedger } from './rows/github-ledger.ts';
import { githubWake } from './rows/github-wake.ts';
import { kafkaCost } from './rows/kafka-cost.ts';
import { latency } from './rows/latency.ts';
import { sqsCost } from './rows/sqs-cost.ts';
import { sqsHint } from './rows/sqs-hint.ts';
import { start } from './rows/start.ts';
import { throughput } from './rows/throughput.ts';
import { wake } from './rows/wake.ts';
import { Clusters } from './support/clusters.ts';
import { type RowReport, table, writeJson } from './support/report.ts';
import type { Bench, Row } from './support/row.ts';

const rows: readonly Row[] = [
  start,
  throughput,
  latency,
  wake,
  kafkaCost(1),
  kafkaCost(3),
  githubWake,
  githubLedger,
  githubCost,
  sqsHint,
  sqsCost,
];

const usage = `npm run bench -- [--only ROW]... [--quick] [--json FILE]

Measures the built scaler beside what it is compared with; prints a table, and writes the numbers as JSON to
bench/results/ or FILE. The exit code is 1 where something could not be measured; a missed target is a result.
--quick: fewer rounds and shorter windows, to see that it works.

${rows.map(({ name, about }) => `  ${name.padEnd(13)} ${about}\n`).join('')}`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
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
  const clusters = new Clusters(progress);
  const bench: Bench = { quick: values.quick, progress, kafka: (brokers) => clusters.get(brokers) };
  const reports: RowReport[] = [];
  try {
    for (const row of chosen) reports.push(await measure(row, bench));
  } finally {
    await clusters.stop();
  }
  process.stdout.write(table(reports));
  const file = values.json ?? `bench/results/${startedAt.toISOString().replaceAll(':', '-')}.json`;
  await writeJson(file, { quick: values.quick, startedAt, reports });
  progress(`the numbers are in ${file}`);
  return reports.some(({ fault }) => fault !== undefined) ? 1 : 0;
}

async function measure({ name: row, measure }: Row, bench: Bench): Promise<RowReport> {
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  progress(row);
  try {
    const findings = await measure({ ...bench, progress: (line) => progress(`${row}: ${line}`) });
    return { row, seconds: seconds(), findings };
  } catch (reason) {
    const fault = reason instanceof Error ? reason.message : String(reason);
    progress(`${row}: ${fault}`);
    return { row, seconds: seconds(), findings: [], fault };
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
