import { stat, writeFile } from 'node:fs/promises';
import { problemOf } from '../config/files.ts';
import { printable, quote } from '../printable.ts';
import type { ConnectionEntry } from '../scaledobjects/connections.ts';
import { convertInputs } from '../scaledobjects/convert.ts';
import type { Fault } from '../scaledobjects/read.ts';
import { sources } from '../sources/index.ts';
import { type Command, exitCode, listOf, type Values } from './command.ts';
import { readInputs, standardInput } from './input.ts';

export const convert: Command = {
  name: 'convert',
  summary:
    "Convert triggers of KEDA's kafka, apache-kafka, aws-sqs-queue, github-runner and nats-jetstream to this scaler.",
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE|DIR',
      multiple: true,
      positional: true,
      doc: 'YAML or JSON with ScaledObjects or ScaledJobs; - is standard input. -f itself may be left out. The result goes to standard output.',
      required: true,
    },
    write: { type: 'boolean', short: 'w', doc: 'Write the result into the files instead.' },
    values: {
      type: 'string',
      value: 'FILE',
      doc: "A new file for the chart's values with the connections; standard error by default.",
    },
    'scaler-address': {
      type: 'string',
      value: 'HOST:PORT',
      doc: 'The scalerAddress to write; backlog-scaler.keda:6000 by default.',
    },
    namespace: { type: 'string', short: 'n', value: 'NAME', doc: 'The namespace of objects without one.' },
  },
  run,
};

const addressFormat = /^[\w.:[\]-]+:\d{1,5}$/;

async function run(values: Values): Promise<number> {
  const scalerAddress = String(values['scaler-address'] ?? 'backlog-scaler.keda:6000');
  if (!addressFormat.test(scalerAddress)) {
    return refuse(`--scaler-address must be host:port, got ${quote(scalerAddress)}`);
  }
  const read = await readInputs(listOf(values, 'file'));
  const unread = read.filter((one) => 'problem' in one);
  for (const { file, problem } of unread)
    process.stderr.write(`${printable(`${file}: error: ${problem}`)}\n`);
  if (unread.length > 0) return exitCode.invalid;
  const inputs = read.filter((one) => 'text' in one);
  if (values['write'] === true && inputs.some(({ file }) => file === standardInput)) {
    return refuse('--write needs files: standard input cannot be written');
  }
  const settings = {
    sources,
    scalerAddress,
    namespace: String(values['namespace'] ?? ''),
    isCopy: values['write'] !== true,
  };
  const { files: converted, connections: entries } = convertInputs(inputs, settings);
  const faults = converted.flatMap((one) => one.faults);
  if (faults.length > 0) {
    say(faults);
    return exitCode.invalid;
  }
  const valuesFile = typeof values['values'] === 'string' ? values['values'] : undefined;
  if (entries.length > 0 && valuesFile !== undefined && (await holdsText(valuesFile))) {
    return refuse(
      `--values ${valuesFile} exists, and nothing was written: name a new file, then copy connections and secretMounts from it into ${valuesFile}`,
    );
  }
  for (const [i, { file, text }] of converted.entries()) {
    if (values['write'] !== true) process.stdout.write(text);
    else if (text !== inputs[i]?.text) {
      const problem = await written(file, text);
      if (problem !== undefined) return failed(file, problem);
    }
  }
  const notes = converted.flatMap((one) => one.notes);
  say(notes);
  const triggers = converted.reduce((sum, one) => sum + one.triggers, 0);
  process.stderr.write(
    triggers === 0
      ? 'No trigger was converted.\n'
      : `${triggers} trigger${triggers === 1 ? ' was' : 's were'} converted.\n`,
  );
  const skipped = read.filter((one) => 'skipped' in one).length;
  if (skipped > 0) {
    const files = `${skipped} file${skipped === 1 ? '' : 's'}`;
    process.stderr.write(`Skipped: ${files} without apiVersion and kind.\n`);
  }
  if (entries.length === 0) return leftover(notes);
  const chart = valuesText(entries);
  if (valuesFile === undefined) process.stderr.write(`\n${chart}`);
  else {
    const problem = await written(valuesFile, chart);
    if (problem !== undefined) return failed(valuesFile, problem);
  }
  return leftover(notes);
}

/** Whether a trigger had to stay as it is. */
function leftover(notes: readonly Fault[]): number {
  return notes.some(({ severity }) => severity === 'error') ? exitCode.failed : exitCode.ok;
}

/** The chart's values, with the commands that make the Secrets in comments. */
function valuesText(entries: readonly ConnectionEntry[]): string {
  const mounts = entries.flatMap(({ mount, keys }) =>
    mount === undefined ? [] : [`  - ${mount} # keys: ${keys.join(', ')}`],
  );
  return [
    'image:',
    '  registry: TO-BE-FILLED-IN # where you pushed the image',
    'config:',
    '  connections:',
    ...entries.flatMap(({ lines }) => lines.map((line) => `  ${line}`)),
    ...(mounts.length === 0 ? [] : ['secretMounts:', ...mounts]),
    ...(entries.some(({ isSentWebhooks }) => isSentWebhooks)
      ? ['ingest:', '  enabled: true # its Ingress: docs/github.md']
      : []),
    ...entries
      .filter(({ steps }) => steps.length > 0)
      .flatMap(({ name, steps }) => [`# Connection ${name}.`, ...steps.map((step) => `# ${step}`)]),
    '',
  ].join('\n');
}

function say(faults: readonly Fault[]): void {
  for (const { file, line, where, message, severity } of faults) {
    process.stderr.write(
      `${printable(`${file}:${line}: ${severity}: ${where === '' ? '' : `${where}: `}${message}`)}\n`,
    );
  }
}

function refuse(message: string): number {
  process.stderr.write(`${printable(message)}; see backlog-scaler convert --help\n`);
  return exitCode.invalid;
}

function failed(file: string, problem: string): number {
  process.stderr.write(`${printable(`${file}: cannot be written: ${problem}`)}\n`);
  return exitCode.failed;
}

/** Whether writing it would destroy something. A pipe or /dev/stdout holds nothing. */
async function holdsText(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true && found.size > 0;
}

async function written(file: string, text: string): Promise<string | undefined> {
  try {
    await writeFile(file, text);
    return undefined;
  } catch (reason) {
    return problemOf(reason);
  }
}
