import { writeFile } from 'node:fs/promises';
import { problemOf } from '../config/files.ts';
import { printable, quote } from '../printable.ts';
import { oursOf } from '../scaledobjects/mistakes.ts';
import { readScaledResources } from '../scaledobjects/read.ts';
import type { ScaledResource } from '../scaledobjects/scaled-resource.ts';
import { type Input, validateInputs } from '../scaledobjects/validate.ts';
import { hpaDefaults } from '../scaling/hpa.ts';
import { type Comparison, compare } from '../simulation/compare.ts';
import { type FailIf, readFailIf } from '../simulation/fail-if.ts';
import { maxHistoryBytes, readHistory } from '../simulation/history.ts';
import { type Load, loadOf } from '../simulation/load.ts';
import type { Model, Outcome, Setting } from '../simulation/play.ts';
import { changed, maxSettings, readChange, settingOf } from '../simulation/settings.ts';
import { comparisonSvg } from '../simulation/svg.ts';
import { comparisonText } from '../simulation/text.ts';
import { sources } from '../sources/index.ts';
import { type Command, exitCode, listOf, type Values } from './command.ts';
import { readInputs } from './input.ts';

export const simulate: Command = {
  name: 'simulate',
  summary: 'Play a recorded history through a ScaledObject, and compare settings.',
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      required: true,
      doc: 'YAML or JSON with the ScaledObject; - is standard input.',
    },
    history: {
      type: 'string',
      value: 'FILE',
      required: true,
      doc: 'CSV or JSON of /api/triggers/{id}/history; - is standard input.',
    },
    set: {
      type: 'string',
      value: 'NAME:KEY=VALUE',
      multiple: true,
      doc: 'One more setting, of one or several keys, such as "drain 60 s:policy=drain,drainSeconds=60".',
    },
    'replica-rate': {
      type: 'string',
      value: 'N',
      doc: 'Items a second of one replica; by default replicaRate of the trigger.',
    },
    'pod-start-seconds': {
      type: 'string',
      value: 'N',
      doc: 'Time until a new replica works; 10 by default.',
    },
    'current-replicas': {
      type: 'string',
      value: 'N',
      doc: 'Replicas at the start; by default those of the history.',
    },
    name: { type: 'string', value: 'NAME', doc: 'Which ScaledObject to play, of several.' },
    trigger: {
      type: 'string',
      value: 'INDEX',
      doc: 'Which trigger was recorded, of several, from 0.',
    },
    'sync-period-seconds': { type: 'string', value: 'N', doc: "The HPA's clock; 15 by default." },
    tolerance: { type: 'string', value: 'N', doc: "The HPA's tolerance; 0.1 by default." },
    'fail-if': {
      type: 'string',
      value: 'CHECK',
      multiple: true,
      doc: "Exit with 1 if it holds: 'p99wait>120', or for one setting 'NAME: p99wait>120'.",
    },
    svg: { type: 'string', value: 'FILE', doc: 'Also write a picture.' },
    output: { type: 'string', short: 'o', value: 'text|json', doc: 'The format; text by default.' },
  },
  run,
};

/** Ends the command, since what was given cannot be played. */
class Invalid extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

async function run(values: Values): Promise<number> {
  try {
    return await simulated(values);
  } catch (reason) {
    if (!(reason instanceof Invalid)) throw reason;
    for (const fault of reason.faults) process.stderr.write(`${printable(fault)}\n`);
    return exitCode.invalid;
  }
}

async function simulated(values: Values): Promise<number> {
  const option = (name: string): string | undefined =>
    typeof values[name] === 'string' ? values[name] : undefined;
  const output = option('output') ?? 'text';
  if (output !== 'text' && output !== 'json')
    throw refused(`--output must be text or json, got ${quote(output)}`);
  const [file, recorded] = [option('file') ?? '-', option('history') ?? '-'];
  if (file === '-' && recorded === '-') throw refused('only one of --file and --history can be -');
  const numbers = numbersOf(option);
  const { resource, index } = await resourceOf(file, option);
  const settings = settingsOf(resource, index, listOf(values, 'set'), numbers.replicaRate);
  const checks = checksOf(listOf(values, 'fail-if'), settings);
  const rate = rateOf(settings, numbers.replicaRate);
  const load = await readLoad(recorded, settings, rate.replicaRate);
  const model: Model = { ...numbers, replicaRate: rate.replicaRate };
  const others = resource.triggers.length - 1;
  const rest = others === 1 ? 'the other one' : `the ${others} others`;
  const alone = `Only triggers[${index}] is played: as if ${rest} asked for nothing.`;
  const notes = others > 0 ? [alone] : [];
  const comparison = compare(recorded, load, settings, { ...model, replicaRateFrom: rate.from }, notes);
  const svg = option('svg');
  if (svg !== undefined) await write(svg, comparisonSvg(comparison));
  const failures = failuresOf(checks, comparison.settings);
  if (output === 'json') process.stdout.write(inJson(comparison, model, failures));
  else process.stdout.write(comparisonText(comparison, { columns: columns(), colour: hasColour() }));
  for (const failure of failures) process.stderr.write(`${printable(failure)}\n`);
  return failures.length > 0 ? exitCode.failed : exitCode.ok;
}

function refused(message: string): Invalid {
  return new Invalid([`${message}; see backlog-scaler simulate --help`]);
}

function numbersOf(option: (name: string) => string | undefined) {
  const number = (name: string, least: number, most: number, whole: boolean): number | undefined => {
    const text = option(name);
    if (text === undefined) return undefined;
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    const kind = whole ? 'a whole number' : 'a number';
    throw refused(`--${name} must be ${kind} from ${least} to ${most}, got ${quote(text)}`);
  };
  return {
    replicaRate: number('replica-rate', 0.00001, 1_000_000_000, false),
    podStartSeconds: number('pod-start-seconds', 0, 3_600, true) ?? 10,
    currentReplicas: number('current-replicas', 0, 100_000, true),
    syncPeriodSeconds: number('sync-period-seconds', 1, 3_600, true) ?? 15,
    tolerance: number('tolerance', 0, 10, false) ?? hpaDefaults.tolerance,
  };
}

async function readOne(option: string, path: string, mostBytes?: number): Promise<Input> {
  const [input, another] = await readInputs([path], mostBytes);
  if (input === undefined || another !== undefined || 'skipped' in input) {
    throw refused(`--${option} must be one file, and ${quote(path)} is a folder`);
  }
  if ('problem' in input) throw new Invalid([`${input.file}: ${input.problem}`]);
  return input;
}

/** The one ScaledObject, and the index of the trigger that was recorded. */
async function resourceOf(
  file: string,
  option: (name: string) => string | undefined,
): Promise<{ resource: ScaledResource; index: number }> {
  const input = await readOne('file', file);
  const { resources, faults: unread } = readScaledResources(input.text, input.file);
  const named = option('name');
  const found = resources.filter(({ name }) => named === undefined || name === named);
  const [resource] = found;
  const unreadable = unread.map(
    ({ file, line, where, message }) => `${file}:${line}: ${where === '' ? '' : `${where}: `}${message}`,
  );
  if (resource === undefined) {
    const what = named === undefined ? 'no ScaledObject' : `no ScaledObject ${quote(named)}`;
    throw new Invalid([...unreadable, `${input.file} holds ${what}; see backlog-scaler simulate --help`]);
  }
  if (found.length > 1) {
    const names = resources.slice(0, 10).map(({ name }) => name);
    throw refused(
      `${input.file} holds ${found.length} ScaledObjects: --name says which (${names.join(', ')})`,
    );
  }
  if (resource.kind === 'ScaledJob') {
    throw new Invalid([
      `${input.file}:${resource.line}: is a ScaledJob, whose Jobs no HPA scales: only ScaledObjects are played`,
    ]);
  }
  const owner = `ScaledObject ${resource.namespace === '' ? '' : `${resource.namespace}/`}${resource.name}`;
  const { faults } = validateInputs([input], { sources, namespace: '' });
  const own = faults.filter(({ where }) => where === '' || where === owner || where.startsWith(`${owner},`));
  const said = own.map(
    ({ file, line, where, message, severity }) =>
      `${file}:${line}: ${severity}: ${where === '' ? '' : `${where}: `}${message}`,
  );
  if (own.some(({ severity }) => severity === 'error')) throw new Invalid(said);
  for (const line of said) process.stderr.write(`${printable(line)}\n`);
  return { resource, index: triggerOf(resource, input.file, option('trigger')) };
}

function triggerOf(resource: ScaledResource, file: string, given: string | undefined): number {
  const ours = oursOf(resource, sources).map(({ index }) => index);
  const [only] = ours;
  if (only === undefined) {
    throw new Invalid([
      `${file}:${resource.line}: has no trigger of this scaler: backlog-scaler convert makes one`,
    ]);
  }
  if (given === undefined) {
    if (ours.length === 1) return only;
    throw refused(`--trigger must say which one was recorded, of ${ours.join(', ')}`);
  }
  const index = ours.find((one) => String(one) === given);
  if (index === undefined) throw refused(`--trigger must be one of ${ours.join(', ')}, got ${quote(given)}`);
  return index;
}

const asWritten = 'as written';

function settingsOf(
  resource: ScaledResource,
  index: number,
  sets: readonly string[],
  replicaRate: number | undefined,
): readonly Setting[] {
  if (sets.length >= maxSettings) throw refused(`--set can be given ${maxSettings - 1} times at most`);
  const faults: string[] = [];
  const settings: Setting[] = [];
  let needsRate = false;
  const take = (name: string, changedResource: ScaledResource, of: string): void => {
    const read = settingOf(name, changedResource, index, sources);
    if ('setting' in read) settings.push(read.setting);
    else faults.push(...read.faults.map((fault) => `${of}${fault}`));
    const { metadata = {} } = changedResource.triggers[index] ?? {};
    needsRate ||= metadata['policy'] === 'drain' && metadata['replicaRate'] === undefined;
  };
  take(asWritten, resource, `triggers[${index}]: `);
  for (const text of sets) {
    const change = readChange(text);
    if (typeof change === 'string') {
      faults.push(`--set ${change}`);
      continue;
    }
    const of = `--set ${quote(change.name)}: `;
    if (settings.some(({ name }) => name === change.name)) faults.push(`${of}there are two of this name`);
    const result = changed(resource, index, change, replicaRate);
    if (result.faults.length === 0) take(change.name, result.resource, of);
    else faults.push(...result.faults.map((fault) => `${of}${fault}`));
  }
  if (needsRate) faults.push('--replica-rate N says replicaRate where it is not written');
  if (faults.length > 0) throw new Invalid(faults);
  return settings;
}

function checksOf(texts: readonly string[], settings: readonly Setting[]): readonly FailIf[] {
  const names = settings.map(({ name }) => name);
  const read = texts.map((text) => readFailIf(text, names));
  const faults = read.filter((one) => typeof one === 'string');
  if (faults.length > 0) throw new Invalid(faults.map((fault) => `--fail-if ${fault}`));
  return read.filter((one) => typeof one !== 'string');
}

function rateOf(
  settings: readonly Setting[],
  given: number | undefined,
): { readonly replicaRate: number; readonly from: string } {
  if (given !== undefined) return { replicaRate: given, from: '--replica-rate' };
  const saying = settings.find(({ trigger }) => trigger.drain !== undefined);
  if (saying?.trigger.drain === undefined) {
    throw refused('--replica-rate N is needed: how many items a second one replica works off');
  }
  const { replicaRate, learn } = saying.trigger.drain;
  return { replicaRate, from: `${learn ? 'fallbackReplicaRate' : 'replicaRate'} of ${saying.name}` };
}

async function readLoad(file: string, settings: readonly Setting[], replicaRate: number): Promise<Load> {
  const input = await readOne('history', file, maxHistoryBytes);
  const read = readHistory(input.text, input.file);
  if ('faults' in read) throw new Invalid(read.faults);
  const { minReplicaCount = 0, maxReplicaCount = hpaDefaults.maxReplicaCount } = settings[0]?.rules.hpa ?? {};
  return loadOf(read.history, { replicaRate, minReplicaCount, maxReplicaCount });
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (reason) {
    throw new Invalid([`--svg ${file}: ${problemOf(reason)}`]);
  }
}

function failuresOf(checks: readonly FailIf[], outcomes: Comparison['settings']): readonly string[] {
  return checks.flatMap(({ text, setting, failing }) =>
    outcomes
      .filter(({ name }) => setting === undefined || name === setting)
      .flatMap((outcome) => {
        const why = failing(outcome);
        return why === undefined ? [] : [`${outcome.name}: failed by --fail-if ${quote(text)}: ${why}`];
      }),
  );
}

function inJson(
  { history, startMs, seconds, items, settings, notes }: Comparison,
  model: Model,
  failures: readonly string[],
): string {
  const told = settings.map(({ series: _, ...outcome }: Outcome & { name: string }) => outcome);
  const [from, to] = [startMs, startMs + seconds * 1000].map((ms) => new Date(ms).toISOString());
  return `${JSON.stringify({ history: { file: history, from, to, seconds, items }, model, settings: told, notes, failures }, null, 2)}\n`;
}

function columns(): number {
  const { isTTY, columns } = process.stdout;
  return Math.min(200, (isTTY ? columns : Number(process.env['COLUMNS'])) || 80);
}

/** Only on a terminal, and not if `NO_COLOR` is set (no-color.org). */
function hasColour(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}
