import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Fault } from './fault.ts';
import { certificates } from './faults/certificates.ts';
import { clockSkew } from './faults/clock-skew.ts';
import { diskFull } from './faults/disk-full.ts';
import { freezeUpstreams } from './faults/freeze-upstreams.ts';
import { hostile } from './faults/hostile-senders.ts';
import { killBroker } from './faults/kill-broker.ts';
import { killOneOfThree } from './faults/kill-one-of-three.ts';
import { killPod } from './faults/kill-pod.ts';
import { cutOff, killNats, killOneNats } from './faults/nats.ts';
import { soak } from './faults/soak.ts';
import { webhooks } from './faults/webhooks.ts';
import { breachLines, type FaultReport, table } from './report.ts';
import { Stage } from './stage.ts';

const faults: readonly Fault[] = [
  killPod,
  killOneOfThree,
  killBroker,
  freezeUpstreams,
  hostile,
  certificates,
  clockSkew,
  webhooks,
  diskFull,
  killNats,
  killOneNats,
  cutOff,
  soak,
];

const usage = `npm run chaos -- [--only FAULT]... [--seconds N] [--seed N] [--program FILE]

Breaks what the scaler stands on while a KEDA asks it all the time, and checks every answer. Prints a table; the exit
code is 1 where something did not hold, with what, when, and the seed.
--seconds: how long each fault goes on, starting and ending aside.
--seed: the same traffic and the same choices as in another run. What processes make of it differs all the same.
--program: the command that is run; dist/main.js where it is left out.

${faults.map(({ name, about, onlyByName }) => `  ${name.padEnd(16)} ${about}${onlyByName ? ' (only where it is named)' : ''}\n`).join('')}`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    program: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = await run();

async function run(): Promise<number> {
  const { only } = values;
  const chosen = faults.filter(({ name, onlyByName }) => only?.includes(name) ?? onlyByName !== true);
  const unknown = only?.filter((name) => !faults.some((fault) => fault.name === name)) ?? [];
  const [seconds, seed] = [numberOf(values.seconds), numberOf(values.seed)];
  if (values.help || unknown.length > 0 || Number.isNaN(seconds) || Number.isNaN(seed)) {
    process.stdout.write(usage);
    for (const name of unknown) progress(`there is no fault ${name}`);
    return values.help ? 0 : 2;
  }
  const chosenSeed = seed ?? Math.floor(Math.random() * 2 ** 31);
  progress(`seed ${chosenSeed}`);
  const reports: FaultReport[] = [];
  for (const fault of chosen) reports.push(await play(fault, seconds ?? fault.seconds, chosenSeed));
  process.stdout.write(table(reports));
  process.stdout.write(breachLines(reports, chosenSeed));
  return reports.some(({ breaches, failure }) => breaches.length > 0 || failure !== undefined) ? 1 : 0;
}

async function play(fault: Fault, seconds: number, seed: number): Promise<FaultReport> {
  const { name, about } = fault;
  const say = (line: string) => progress(`${name}: ${line}`);
  const startedMs = performance.now();
  say(about);
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-chaos-'));
  const program = values.program ?? fileURLToPath(new URL('../dist/main.js', import.meta.url));
  let stage: Stage | undefined;
  const report = { name, about, startedMs };
  try {
    stage = await Stage.set(fault.scene(directory), { program, seed, directory, progress: say });
    const told = await fault.run(stage, seconds);
    await stage.finish();
    const { starvedSeconds } = stage;
    const { tally, breaches } = stage.invariants;
    say(breaches.length === 0 ? 'held' : `${breaches.length} breaches`);
    return { ...report, seconds: since(startedMs), told, tally, starvedSeconds, breaches };
  } catch (reason) {
    const failure = reason instanceof Error ? reason.message : String(reason);
    say(failure);
    const { breaches = [], tally } = stage?.invariants ?? {};
    const starvedSeconds = stage?.starvedSeconds ?? 0;
    return { ...report, seconds: since(startedMs), told: '', tally, starvedSeconds, breaches, failure };
  } finally {
    await stage?.strike();
    if (stage?.invariants.breaches.length === 0) await rm(directory, { recursive: true, force: true });
    else say(`logs of the pods are in ${directory}`);
  }
}

function since(startedMs: number): number {
  return Math.round((performance.now() - startedMs) / 1000);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
