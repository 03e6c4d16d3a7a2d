import { type FileOrigin, mountOf } from '../config/chart-values.ts';
import { type Absent, pathText } from '../config/document.ts';
import type { Loaded } from '../config/load.ts';
import { printable, quote } from '../printable.ts';
import type { Fault } from '../scaledobjects/read.ts';
import { type Input, type Need, type Report, type Rules, validateInputs } from '../scaledobjects/validate.ts';
import { sources } from '../sources/index.ts';
import { type Command, exitCode, listOf, type Values } from './command.ts';
import { bothFromStandardInput, loadGiven, nameOf, readInputs } from './input.ts';

export const validate: Command = {
  name: 'validate',
  summary: 'Check ScaledObjects, ScaledJobs and the configuration, without any network.',
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE|DIR',
      multiple: true,
      positional: true,
      doc: 'YAML or JSON with ScaledObjects or ScaledJobs; - is standard input. -f itself may be left out.',
    },
    config: {
      type: 'string',
      value: 'FILE',
      doc: "The scaler's configuration, or the chart's values: it is checked, and triggers against its connections; - is standard input.",
    },
    namespace: {
      type: 'string',
      short: 'n',
      value: 'NAME',
      doc: 'The namespace of objects without one.',
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'text|github|json',
      doc: 'The format; text by default.',
    },
    strict: { type: 'boolean', doc: 'Fail on warnings as well.' },
    'allow-none': { type: 'boolean', doc: 'Do not fail without any ScaledObject or ScaledJob.' },
  },
  run,
};

const formats = { text: inText, github: inGitHub, json: inJson } as const;

async function run(values: Values): Promise<number> {
  const paths = listOf(values, 'file');
  const config = values['config'];
  const output = String(values['output'] ?? 'text');
  const format = Object.entries(formats).find(([name]) => name === output)?.[1];
  if (format === undefined)
    return refuse(`--output must be one of ${Object.keys(formats).join(', ')}, got ${quote(output)}`);
  if (paths.length === 0 && config === undefined) return refuse('--file FILE|DIR or --config FILE is needed');
  const both = bothFromStandardInput(paths, config);
  if (both !== undefined) return refuse(both);

  const faults: Fault[] = [];
  const fault: AddFault = (file, message, line = 1, severity = 'error') => {
    faults.push({ file, line, where: '', message, severity });
  };
  const { rules, notHere } = await rulesOf(values, fault);
  const read = await readInputs(paths);
  for (const one of read) if ('problem' in one) fault(one.file, one.problem);
  const inputs = read.filter((one): one is Input => 'text' in one);
  const report = validateInputs(inputs, rules);
  const skippedFiles = read.filter((one) => 'skipped' in one).length;
  const none = report.scaledObjects + report.scaledJobs === 0 && faults.length + report.faults.length === 0;
  if (paths.length > 0 && none && values['allow-none'] !== true) {
    fault(paths.join(' '), 'holds no ScaledObject or ScaledJob');
  }
  const all = [...faults, ...report.faults];
  process.stdout.write(
    format({ ...report, faults: all, notHere, skippedFiles }, { rules, isConfigured: config !== undefined }),
  );
  const failing = all.filter(({ severity }) => severity === 'error' || values['strict'] === true);
  return failing.length === 0 ? exitCode.ok : exitCode.invalid;
}

function refuse(message: string): number {
  process.stderr.write(`${message}; see backlog-scaler validate --help\n`);
  return exitCode.invalid;
}

type AddFault = (file: string, message: string, line?: number, severity?: Fault['severity']) => void;

/** A setting that was not checked, since its file or variable is not on this machine. */
interface NotHere {
  readonly file: string;
  readonly line: number;
  readonly message: string;
  /** What it comes from, by the chart's values. */
  readonly secret?: { readonly name: string; readonly key: string };
}

function originOf(from: FileOrigin, { key: setting, file }: Absent): Pick<NotHere, 'message' | 'secret'> {
  if ('volumeAt' in from) return { message: `${setting}: ${file} must be in the volume at ${from.volumeAt}` };
  const { secretName: name, key } = from;
  const message = `${setting}: ${file} must be key ${quote(key)} of Secret ${name}`;
  return { message, secret: { name, key } };
}

/**
 * The rules under what `--config` names, also where its secrets are not on this machine: then only names, sources and
 * namespaces of its connections are known.
 */
export async function rulesOf(
  values: Values,
  fault: AddFault,
): Promise<{ rules: Rules; notHere: readonly NotHere[] }> {
  const namespace = String(values['namespace'] ?? '');
  const { config } = values;
  if (typeof config !== 'string') return { rules: { sources, namespace }, notHere: [] };
  const loaded = await loadGiven(config, { isCheck: true });
  const { chart } = loaded;
  const file = nameOf(config);
  for (const { line, message } of chart?.faults ?? []) fault(file, message, line);
  const doubts = (loaded.doubts ?? []).toSorted((a, b) => a.line - b.line);
  for (const { line, message } of doubts) fault(file, message, line, 'warning');
  const notHere = (chart?.tlsSecrets ?? []).flatMap(({ line, path, secretName: name, keys }): NotHere[] =>
    keys.map((key) => ({
      file,
      line,
      message: `${pathText(path)}: Secret ${name} must have key ${quote(key)}`,
      secret: { name, key },
    })),
  );
  if (loaded.kind === 'loaded') return { rules: rulesFor(loaded, namespace), notHere };
  for (const { line, message, absent } of loaded.faults.toSorted((a, b) => a.line - b.line)) {
    const mount = absent?.file && chart ? mountOf(absent.file, chart.mounts) : undefined;
    // Secrets and variables are often only where the scaler runs: without them the rest is checked all the same.
    if (absent === undefined) fault(file, message, line);
    else if (mount === undefined) notHere.push({ file, line, message });
    else if ('from' in mount) notHere.push({ file, line, ...originOf(mount.from, absent) });
    else fault(file, `${absent.key}: ${mount.missing}`, line, 'warning');
  }
  return {
    rules: { sources, namespace, connections: loaded.connections, tls: loaded.tls },
    notHere,
  };
}

/** The rules under a configuration. */
export function rulesFor({ config, tls }: Loaded, namespace: string): Rules {
  const { limits, security } = config.settings;
  return {
    sources,
    namespace,
    tls,
    world: {
      sources,
      connections: config.connections,
      maxStalenessSeconds: limits.maxStalenessSeconds,
      refuseSecretsFromEnv: tls === 'none' && !security.allowPlaintextSecrets,
    },
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

interface Shown extends Report {
  readonly notHere: readonly NotHere[];
  /** Files of folders that mention a ScaledObject or ScaledJob, and hold no object of Kubernetes. */
  readonly skippedFiles: number;
}

interface Checked {
  readonly rules: Rules;
  /** Whether a configuration was given; one that is refused is not in the rules. */
  readonly isConfigured: boolean;
}

function inText(report: Shown, checked: Checked): string {
  const lines = report.faults.map(({ file, line, where, message, severity }) =>
    printable(`${file}:${line}: ${severity}: ${where === '' ? '' : `${where}: `}${message}`),
  );
  return `${[...lines, ...summed(report, checked)].join('\n')}\n`;
}

/** What was checked and what was skipped: the last lines. */
function summed(report: Shown, { rules: { world, connections }, isConfigured }: Checked): readonly string[] {
  const of = (severity: Fault['severity']): number =>
    report.faults.filter((one) => one.severity === severity).length;
  const { scaledObjects, scaledJobs, triggers, otherTriggers, leftOpen, notHere, needs, skippedFiles } =
    report;
  const lines = [
    [
      `${count(scaledObjects, 'ScaledObject')}, ${count(scaledJobs, 'ScaledJob')}`,
      count(triggers, 'trigger'),
      `${count(of('error'), 'error')}, ${count(of('warning'), 'warning')}`,
    ].join('; '),
  ];
  if (otherTriggers > 0) lines.push(`Not looked at: ${count(otherTriggers, 'trigger')} of other scalers.`);
  if (skippedFiles > 0) lines.push(`Skipped: ${count(skippedFiles, 'file')} without apiVersion and kind.`);
  const secrets = new Map<string, Set<string>>();
  for (const { file, line, message, secret } of notHere) {
    if (secret === undefined) lines.push(printable(`Left open: ${file}:${line}: ${message}`));
    else secrets.set(secret.name, (secrets.get(secret.name) ?? new Set()).add(secret.key));
  }
  for (const [name, keys] of secrets)
    lines.push(printable(`Left open: whether Secret ${name} has ${[...keys].sort().join(', ')}`));
  if (needs.length > 0) lines.push(printable(`Left open: whether there is ${shownNeeds(needs)}`));
  // Where secrets are elsewhere, the lines above have said so.
  if (leftOpen > 0 && (world !== undefined || connections === undefined)) {
    const open = `Left open: the connections of ${count(leftOpen, 'trigger')}`;
    if (world !== undefined) lines.push(`${open}, which have a …FromEnv or no namespace (-n).`);
    else if (isConfigured) lines.push(`${open}, since the configuration could not be used; see above.`);
    else lines.push(`${open}; --config FILE checks them.`);
  }
  return lines;
}

const mostNeeds = 20;

/** `Secret ci/runners (token), TriggerAuthentication shop/scaler`. */
function shownNeeds(needs: readonly Need[]): string {
  const all = needs.map(({ kind, namespace, name, keys }) => {
    const object = `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
    return keys.length === 0 ? object : `${object} (${keys.join(', ')})`;
  });
  const more = all.length > mostNeeds ? [`${all.length - mostNeeds} more`] : [];
  return [...all.slice(0, mostNeeds), ...more].join(', ');
}

/** Workflow commands of GitHub Actions, which it shows at the line (actions/toolkit, packages/core/src/command.ts). */
function inGitHub(report: Shown, checked: Checked): string {
  const commands = report.faults.map(({ file, line, where, message, severity }) => {
    const title = where === '' ? 'backlog-scaler' : where;
    const properties = `file=${property(file)},line=${line},title=${property(title)}`;
    return `::${severity} ${properties}::${data(printable(message))}`;
  });
  // Without faults, the log of the workflow shows at least what was checked.
  return `${[...commands, ...summed(report, checked)].join('\n')}\n`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(printable(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function inJson(report: Shown): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
