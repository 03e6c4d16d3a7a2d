import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { problemOf } from '../config/files.ts';
import type { Loaded } from '../config/load.ts';
import { ScalerError } from '../errors.ts';
import { parameterViews } from '../explain/parameters.ts';
import { scalingOf, type TriggerDemand } from '../explain/scaling.ts';
import { explainScaling, explainTrigger, type Layout } from '../explain/text.ts';
import type { ScalingView, TriggerView } from '../explain/view.ts';
import { printable, quote } from '../printable.ts';
import { oursOf } from '../scaledobjects/mistakes.ts';
import { readScaledResources } from '../scaledobjects/read.ts';
import type { ScaledResource } from '../scaledobjects/scaled-resource.ts';
import { type Input, type Rules, validateInputs } from '../scaledobjects/validate.ts';
import { sources } from '../sources/index.ts';
import { readReference } from '../triggers/resolve.ts';
import { type Asked, type Asker, byBacklog, byScaler, bySources, notAsked, withRunning } from './asking.ts';
import { type Command, exitCode, listOf, type Values } from './command.ts';
import { bothFromStandardInput, loadGiven, readInputs } from './input.ts';
import { RunningTriggers } from './running-triggers.ts';
import { rulesFor, rulesOf } from './validate.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'Explain the replicas of a ScaledObject or ScaledJob.',
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE|DIR',
      multiple: true,
      positional: true,
      required: true,
      doc: 'YAML or JSON with ScaledObjects or ScaledJobs, and what they refer to; - is standard input. -f itself may be left out.',
    },
    config: {
      type: 'string',
      value: 'FILE',
      doc: 'Read the sources with this configuration; with --backlog check the triggers against it. - is standard input.',
    },
    address: { type: 'string', value: 'HOST:PORT', doc: 'Call the scaler that runs there.' },
    'ca-file': { type: 'string', value: 'FILE', doc: 'With --address: the authority of its certificate.' },
    'cert-file': { type: 'string', value: 'FILE', doc: 'With --address: your client certificate.' },
    'key-file': { type: 'string', value: 'FILE', doc: 'With --address: the key of your client certificate.' },
    admin: { type: 'string', value: 'URL', doc: 'The admin port of the running scaler, for its readings.' },
    'admin-token-file': { type: 'string', value: 'FILE', doc: 'With --admin: its bearer token.' },
    backlog: { type: 'string', value: 'N', doc: 'Read nothing: explain what would happen with N items.' },
    watch: { type: 'boolean', doc: 'Look every 2 s, and print changes.' },
    'current-replicas': {
      type: 'string',
      value: 'N',
      doc: 'The present replicas, or running Jobs; 0 by default.',
    },
    namespace: { type: 'string', short: 'n', value: 'NAME', doc: 'The namespace of objects without one.' },
    output: { type: 'string', short: 'o', value: 'text|json', doc: 'The format; text by default.' },
  },
  run,
};

/** What is to be explained, and by what. */
interface Wanted {
  readonly resources: readonly ScaledResource[];
  /** Of those that name none. */
  readonly namespace: string;
  readonly current: number | undefined;
  readonly asker: Asker;
  readonly running: RunningTriggers | undefined;
}

interface Explained {
  readonly triggers: readonly TriggerView[];
  readonly scaling?: ScalingView;
}

async function run(values: Values): Promise<number> {
  const option = (name: string): string | undefined =>
    typeof values[name] === 'string' ? values[name] : undefined;
  const fault = faultOf(values);
  if (fault !== undefined) return refuse(fault);
  const namespace = option('namespace') ?? '';
  const files = listOf(values, 'file');
  const inputs: Input[] = [];
  for (const input of await readInputs(files)) {
    if ('problem' in input) return refuse(`${input.file}: ${input.problem}`);
    if ('text' in input) inputs.push(input);
  }
  const config = option('config');
  const isWhatIf = option('backlog') !== undefined;
  const loaded = config === undefined || isWhatIf ? undefined : await loadGiven(config);
  if (loaded?.kind === 'refused') {
    for (const { message } of loaded.faults) complain(message);
    return exitCode.invalid;
  }
  const read = inputs.map(({ file, text }) => readScaledResources(text, file));
  const resources = read.flatMap((one) => one.resources);
  let isRefused = false;
  const { rules } = loaded
    ? { rules: rulesFor(loaded, namespace) }
    : await rulesOf(values, (where, message, line = 1, severity = 'error') => {
        isRefused ||= severity === 'error';
        complain(`${where}:${line}: ${severity}: ${message}`);
      });
  if (isRefused) return exitCode.invalid;
  const isByTls = option('ca-file') !== undefined || option('cert-file') !== undefined;
  const { faults } = validateInputs(inputs, isByTls ? { ...rules, tls: 'server' } : rules);
  for (const { file, line, where, message, severity } of faults) {
    complain(`${file}:${line}: ${severity}: ${where === '' ? '' : `${where}: `}${message}`);
  }
  if (resources.length === 0) {
    const isSaid = read.some((one) => one.faults.length > 0);
    return isSaid ? exitCode.invalid : refuse(`${files.join(' ')} holds no ScaledObject or ScaledJob`);
  }
  if (resources.every((resource) => oursOf(resource, sources).length === 0))
    return refuse(`${files.join(' ')} holds no trigger of this scaler: backlog-scaler convert makes one`);

  const leaving = new AbortController();
  if (values['watch']) for (const signal of endings) process.once(signal, () => leaving.abort());
  let asker: Asker;
  let running: RunningTriggers | undefined;
  try {
    running = await runningOf(option('admin'), option('admin-token-file'));
    asker = await askerOf(option, { loaded, rules }, leaving.signal);
  } catch (reason) {
    return refuse(ScalerError.from(reason).message);
  }
  const wanted: Wanted = {
    resources,
    namespace,
    current: wholeNumber(option('current-replicas')),
    asker,
    running,
  };
  try {
    if (values['watch']) return await watch(wanted, option('output') === 'json', leaving.signal);
    const { all, unreachable } = await explainAll(wanted);
    const json = option('output') === 'json';
    process.stdout.write(json ? `${JSON.stringify({ resources: all }, null, 2)}\n` : inText(all));
    if (faults.some(({ severity }) => severity === 'error')) return exitCode.invalid;
    return unreachable ? exitCode.unreachable : exitCode.ok;
  } finally {
    await asker.close();
  }
}

const endings = ['SIGINT', 'SIGTERM'] as const;

/** What is wrong with the options. */
function faultOf(values: Values): string | undefined {
  const given = (name: string): boolean => values[name] !== undefined;
  const { output = 'text' } = values;
  if (output !== 'text' && output !== 'json')
    return `--output must be text or json, got ${quote(String(output))}`;
  const other = ['config', 'backlog'].find(given);
  if (given('address') && other !== undefined) return `only one of --address and --${other} can be given`;
  const both = bothFromStandardInput(listOf(values, 'file'), values['config']);
  if (both !== undefined) return both;
  for (const name of ['backlog', 'current-replicas']) {
    if (Number.isNaN(wholeNumber(values[name]))) return `--${name} must be a whole number`;
  }
  const { address } = values;
  if (typeof address === 'string' && !isAddress(address))
    return `--address must be HOST:PORT, got ${quote(address)}`;
  const tls = ['ca-file', 'cert-file', 'key-file'].find(given);
  if (tls !== undefined && !given('address')) return `--${tls} is for --address, which is not given`;
  if (given('cert-file') !== given('key-file')) return '--cert-file and --key-file belong together';
  if (given('admin-token-file') && !given('admin'))
    return '--admin-token-file is for --admin, which is not given';
  if (given('admin') && (given('config') || given('backlog')))
    return '--admin is of a running scaler: it goes with --address, or alone';
  const watched = ['config', 'address', 'admin'].some(given) && !given('backlog');
  if (given('watch') && !watched)
    return '--watch needs something to watch: --config, --address or --admin, without --backlog';
  return undefined;
}

/** Not a URL of HTTP, with a possible port. gRPC reports everything else. */
function isAddress(text: string): boolean {
  return !/^https?:/i.test(text) && !(Number(/:(\d+)$/.exec(text)?.[1]) > 65_535);
}

function refuse(message: string): number {
  complain(`${message}; see backlog-scaler explain --help`);
  return exitCode.invalid;
}

function complain(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** NaN if it is not a number. */
function wholeNumber(text: Values[string]): number | undefined {
  if (text === undefined) return undefined;
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

async function runningOf(
  admin: string | undefined,
  tokenFile: string | undefined,
): Promise<RunningTriggers | undefined> {
  if (admin === undefined) return undefined;
  if (tokenFile === undefined) return new RunningTriggers(admin, undefined);
  try {
    const token = (await readFile(tokenFile, 'utf8')).trim();
    if (/^[\x21-\x7e]+$/.test(token)) return new RunningTriggers(admin, token);
    const holds = token === '' ? 'is empty' : 'holds no token, which is printable ASCII without spaces';
    throw new ScalerError('invalid', `--admin-token-file ${quote(tokenFile)}: ${holds}`);
  } catch (reason) {
    if (reason instanceof ScalerError) throw reason;
    throw new ScalerError('invalid', `--admin-token-file ${quote(tokenFile)}: ${problemOf(reason)}`);
  }
}

/** Rejects with ScalerError where a file of --address cannot be used. */
async function askerOf(
  option: (name: string) => string | undefined,
  { loaded, rules }: { readonly loaded: Loaded | undefined; readonly rules: Rules },
  signal: AbortSignal,
): Promise<Asker> {
  if (loaded) return bySources(loaded, complain, signal);
  const address = option('address');
  if (address === undefined) {
    return option('admin') === undefined
      ? byBacklog(wholeNumber(option('backlog')), rules)
      : { ask: async () => ({ answers: [], notes: [], unreachable: false }), close: () => {} };
  }
  try {
    const [ca, cert, key] = ['ca-file', 'cert-file', 'key-file'].map(option);
    return await byScaler(address, { ca, cert, key });
  } catch (reason) {
    throw new ScalerError('invalid', `--address: its certificates: ${problemOf(reason)}`);
  }
}

async function explainAll(wanted: Wanted): Promise<{ all: readonly Explained[]; unreachable: boolean }> {
  const all: Explained[] = [];
  let unreachable = false;
  for (const resource of wanted.resources) {
    const explained = await explainResource(resource, wanted);
    unreachable ||= explained.unreachable;
    all.push(explained.said);
  }
  return { all, unreachable };
}

async function explainResource(
  resource: ScaledResource,
  { namespace, current, asker, running }: Wanted,
): Promise<{ said: Explained; unreachable: boolean }> {
  const place = resource.namespace || namespace || 'default';
  const name = resource.name || 'generated';
  const views: TriggerView[] = [];
  const demands = new Map<number, TriggerDemand>();
  let unreachable = false;
  for (const { index, entry } of oursOf(resource, sources)) {
    const reference = { namespace: place, name, metadata: entry.metadata };
    const said = readReference(reference, { sources, refuseSecretsFromEnv: false }, { asWritten: true });
    const unseen = [...said.given.values()].filter((one) => one.unseen).map(({ key }) => key);
    // KEDA sends what the variable holds. Its name in that place would be measured as if it were the value.
    const own: Asked = unseen.length > 0 ? notAsked(unseen, running) : await asker.ask(reference);
    const asked = running ? await withRunning(own, running, reference, said.source?.kind) : own;
    unreachable ||= asked.unreachable;
    views.push({
      title: `${resource.kind} ${place}/${name}, triggers[${index}]`,
      parameters: parameterViews(said),
      faults: [...said.faults, ...(asked.faults ?? [])],
      detail: asked.detail,
      working: asked.working,
      answers: asked.answers,
      notes: asked.notes,
    });
    if (asked.target === undefined || asked.active === undefined) continue;
    demands.set(index, {
      metricType: entry.metricType === 'Value' ? 'Value' : 'AverageValue',
      active: asked.active,
      value: asked.value,
      target: asked.target,
      surge: entry.type === 'external-push' && said.common.surge,
    });
  }
  const scaling = foretold(resource, demands, current);
  return { said: { triggers: views, ...(scaling && { scaling }) }, unreachable };
}

/** What KEDA and the HPA do with the answers, in the order of triggers. Undefined if that cannot be played. */
function foretold(
  resource: ScaledResource,
  demands: ReadonlyMap<number, TriggerDemand>,
  current: number | undefined,
): ScalingView | undefined {
  if (demands.size === 0) return undefined;
  const because = resource.triggers.flatMap(({ type }, index) => {
    if (demands.has(index)) return [];
    const why = type.startsWith('external')
      ? 'nothing is known of it'
      : `it is ${type}, which this does not ask: take it out of the file to see what the rest does`;
    return [`triggers[${index}]: ${why}`];
  });
  if (resource.spec.scalingModifiers !== undefined) because.push('scalingModifiers: a formula decides');
  if (because.length > 0) return { kind: 'unknown', because };
  const played = scalingOf(resource, [...demands.values()], current ?? 0);
  if (current !== undefined || played.kind === 'unknown') return played;
  const assumed = '0 are taken to be there now: --current-replicas says how many there are.';
  return { ...played, notes: [assumed, ...played.notes] };
}

const watchMs = 2_000;

/** Until the signal: says it, and again when something but its age has changed. JSON is a line each. */
async function watch(wanted: Wanted, json: boolean, signal: AbortSignal): Promise<number> {
  let before: string | undefined;
  // After Ctrl-C, pending answers do not matter.
  const left = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  while (!signal.aborted) {
    const explained = await Promise.race([explainAll(wanted), left]);
    if (explained === undefined) break;
    const { all } = explained;
    const now = JSON.stringify(all, (key, value) => (ages.includes(key) ? undefined : value));
    if (now !== before) {
      const at = new Date().toISOString();
      const apart = before === undefined ? '' : '\n';
      process.stdout.write(
        json ? `${JSON.stringify({ at, resources: all })}\n` : `${apart}--- ${at}\n${inText(all)}`,
      );
      before = now;
    }
    await sleep(watchMs, undefined, { signal }).catch(() => {});
  }
  return exitCode.ok;
}

const ages = ['ageSeconds', 'oldestItemAgeSeconds'];

function inText(all: readonly Explained[]): string {
  const layout: Layout = process.stdout.isTTY
    ? { columns: process.stdout.columns || 80, colour: process.stdout.hasColors() }
    : {};
  return all
    .flatMap(({ triggers, scaling }) => [
      ...triggers.map((view) => explainTrigger(view, layout)),
      ...(scaling ? [explainScaling(scaling, layout)] : []),
    ])
    .join('\n');
}
