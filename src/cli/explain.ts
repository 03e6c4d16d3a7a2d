import { problemOf } from '../config/files.ts';
import { type Loaded, type LoadResult, loadConfig } from '../config/load.ts';
import { parameterViews } from '../explain/parameters.ts';
import { playScaledJob, playScaledObject, rulesOf, type TriggerDemand } from '../explain/scaling.ts';
import { explainScaling, explainTrigger } from '../explain/text.ts';
import type { ScalingView, TriggerView } from '../explain/view.ts';
import { printable, quote } from '../printable.ts';
import { readScaledResources, type ScaledResource, type ScaledSpec } from '../scaledobjects/read.ts';
import { oursOf, validateInputs } from '../scaledobjects/validate.ts';
import { type ScaledJobSpec, type ScaledJobStrategy, scaledJobDefaults } from '../scaling/scaled-job.ts';
import { sources } from '../sources/index.ts';
import { readReference } from '../triggers/resolve.ts';
import { type Asker, byBacklog, byScaler, bySources } from './asking.ts';
import { type Command, exitCode, type Values } from './command.ts';
import { readInputs } from './input.ts';
import { rulesFor } from './validate.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'Say why a ScaledObject or ScaledJob has as many replicas as it has.',
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      required: true,
      doc: 'YAML or JSON with ScaledObjects or ScaledJobs; - is standard input.',
    },
    config: { type: 'string', value: 'FILE', doc: 'Read the sources by this configuration.' },
    address: { type: 'string', value: 'HOST:PORT', doc: 'Ask the scaler that runs there.' },
    'ca-file': { type: 'string', value: 'FILE', doc: 'With --address: who signed its certificate.' },
    'cert-file': { type: 'string', value: 'FILE', doc: 'With --address: the certificate of the caller.' },
    'key-file': { type: 'string', value: 'FILE', doc: 'With --address: the key of that certificate.' },
    backlog: { type: 'string', value: 'N', doc: 'Without both: explain what would happen at N items.' },
    'current-replicas': {
      type: 'string',
      value: 'N',
      doc: 'Replicas, or running Jobs, there are now; 0 where it is not said.',
    },
    namespace: { type: 'string', short: 'n', value: 'NAME', doc: 'The namespace of what names none.' },
    output: { type: 'string', short: 'o', value: 'text|json', doc: 'How to say it; text is the default.' },
  },
  run,
};

interface Explained {
  readonly triggers: readonly TriggerView[];
  readonly scaling?: ScalingView;
}

async function run(values: Values): Promise<number> {
  const option = (name: string): string | undefined =>
    typeof values[name] === 'string' ? values[name] : undefined;
  const output = option('output') ?? 'text';
  if (output !== 'text' && output !== 'json')
    return refuse(`--output must be text or json, got ${quote(output)}`);
  const ways = ['config', 'address', 'backlog'].filter((name) => option(name) !== undefined);
  if (ways.length > 1) return refuse(`only one of --${ways.join(' and --')} can be given`);
  const [backlog, current] = [option('backlog'), option('current-replicas')].map(wholeNumber);
  if (Number.isNaN(backlog)) return refuse('--backlog must be a whole number');
  if (Number.isNaN(current)) return refuse('--current-replicas must be a whole number');

  const [input] = await readInputs([option('file') ?? '-']);
  if (input === undefined) return refuse('--file has no YAML');
  if ('problem' in input) return refuse(`${input.file}: ${input.problem}`);
  const namespace = option('namespace') ?? '';
  const loaded = await loadedFrom(option('config'));
  if (loaded?.kind === 'refused') {
    for (const fault of loaded.faults) process.stderr.write(`${printable(fault)}\n`);
    return exitCode.invalid;
  }
  const { resources, faults: unread } = readScaledResources(input.text, input.file);
  const rules = loaded ? rulesFor(loaded, namespace) : { sources, namespace };
  const { faults } = validateInputs([input], rules);
  for (const { file, line, where, message, severity } of faults) {
    const whose = where === '' ? '' : `${where}: `;
    process.stderr.write(`${printable(`${file}:${line}: ${severity}: ${whose}${message}`)}\n`);
  }
  if (resources.length === 0) {
    return unread.length > 0 ? exitCode.invalid : refuse(`${input.file} holds no ScaledObject or ScaledJob`);
  }

  const asker = await askerOf(option, loaded, backlog);
  if (typeof asker === 'number') return asker;
  let unreachable = false;
  const all: Explained[] = [];
  try {
    for (const resource of resources) {
      const explained = await explainResource(resource, namespace, current, asker);
      unreachable ||= explained.unreachable;
      all.push(explained.said);
    }
  } finally {
    await asker.close();
  }
  process.stdout.write(output === 'json' ? `${JSON.stringify({ resources: all }, null, 2)}\n` : inText(all));
  if (faults.some(({ severity }) => severity === 'error')) return exitCode.invalid;
  return unreachable ? exitCode.unreachable : exitCode.ok;
}

function refuse(message: string): number {
  process.stderr.write(printable(`${message}; see backlog-scaler explain --help`).concat('\n'));
  return exitCode.invalid;
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

async function loadedFrom(config: string | undefined): Promise<LoadResult | undefined> {
  return config === undefined ? undefined : loadConfig(config, { environment: process.env, sources });
}

async function askerOf(
  option: (name: string) => string | undefined,
  loaded: Loaded | undefined,
  backlog: number | undefined,
): Promise<Asker | number> {
  if (loaded) return bySources(loaded, (line) => process.stderr.write(`${printable(line)}\n`));
  const address = option('address');
  if (address === undefined) return byBacklog(backlog);
  try {
    const [ca, cert, key] = ['ca-file', 'cert-file', 'key-file'].map(option);
    return await byScaler(address, { ca, cert, key });
  } catch (reason) {
    return refuse(`--address: its certificates: ${problemOf(reason)}`);
  }
}

async function explainResource(
  resource: ScaledResource,
  namespace: string,
  current: number | undefined,
  asker: Asker,
): Promise<{ said: Explained; unreachable: boolean }> {
  const place = resource.namespace || namespace || 'default';
  const name = resource.name || 'generated';
  const views: TriggerView[] = [];
  const demands: TriggerDemand[] = [];
  let unreachable = false;
  const ours = oursOf(resource, sources);
  for (const { index, entry } of ours) {
    const reference = { namespace: place, name, metadata: entry.metadata };
    const said = readReference(reference, { sources, refuseSecretsFromEnv: false }, { asWritten: true });
    const unseen = [...said.given.values()].filter((one) => one.unseen).map(({ key }) => key);
    // KEDA sends what the variable holds. Its name in that place would be measured as if it were the value.
    const asked = await (unseen.length > 0 ? byBacklog(undefined) : asker).ask(reference);
    unreachable ||= asked.unreachable;
    views.push({
      title: `${resource.kind} ${place}/${name}, triggers[${index}]`,
      parameters: parameterViews(said),
      faults: said.faults,
      detail: asked.detail,
      answers: asked.answers,
      notes: asked.notes,
    });
    if (asked.target === undefined || asked.active === undefined) continue;
    demands.push({
      metricType: entry.metricType === 'Value' ? 'Value' : 'AverageValue',
      active: asked.active,
      value: asked.value,
      target: asked.target,
      surge: entry.type === 'external-push' && said.common.surge,
    });
  }
  // With a trigger that nothing is known of, neither KEDA nor the HPA can be foretold.
  const whole = demands.length > 0 && demands.length === resource.triggers.length;
  const isModified = resource.spec.scalingModifiers !== undefined;
  if (!whole || isModified) return { said: { triggers: views }, unreachable };
  const played = scalingOf(resource, demands, current ?? 0);
  const assumed = '0 are taken to be there now: --current-replicas says how many there are.';
  const scaling = current === undefined ? { ...played, notes: [assumed, ...played.notes] } : played;
  return { said: { triggers: views, scaling }, unreachable };
}

function scalingOf(
  { kind, spec }: ScaledResource,
  demands: readonly TriggerDemand[],
  current: number,
): ScalingView {
  if (kind === 'ScaledJob') return playScaledJob(jobSpecOf(spec), demands, current);
  return playScaledObject(rulesOf(spec), demands, current);
}

function jobSpecOf({ minReplicaCount, maxReplicaCount, scalingStrategy = {} }: ScaledSpec): ScaledJobSpec {
  return {
    strategy: strategyOf(scalingStrategy),
    minReplicaCount: minReplicaCount ?? scaledJobDefaults.minReplicaCount,
    maxReplicaCount: maxReplicaCount ?? scaledJobDefaults.maxReplicaCount,
  };
}

function strategyOf(given: Readonly<Record<string, unknown>>): ScaledJobStrategy {
  const kind = given['strategy'];
  if (kind === 'accurate' || kind === 'eager') return { kind };
  if (kind !== 'custom') return { kind: 'default' };
  return {
    kind,
    queueLengthDeduction: Number(given['customScalingQueueLengthDeduction'] ?? 0) || 0,
    runningJobPercentage: Number(given['customScalingRunningJobPercentage'] ?? 0) || 0,
  };
}

function inText(all: readonly Explained[]): string {
  const columns = process.stdout.isTTY ? process.stdout.columns : 80;
  return all
    .flatMap(({ triggers, scaling }) => [
      ...triggers.map((view) => explainTrigger(view, { columns })),
      ...(scaling ? [explainScaling(scaling, { columns })] : []),
    ])
    .join('\n');
}
