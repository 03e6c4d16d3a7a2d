import { parseArgs } from 'node:util';
import { version } from '../package.ts';
import { didYouMean } from '../params/suggest.ts';
import { printable, quote } from '../printable.ts';

/** One option of a command. */
export interface Option {
  type: 'string' | 'boolean';
  /** What its value is, for the usage text: `FILE`. */
  value?: string;
  doc: string;
  required?: boolean;
  /** One letter: `h` for `-h`. */
  short?: string;
  /** It may be given several times: its values are a list. */
  multiple?: boolean;
  /** Its values may also stand alone, without its name: `validate a.yaml b.yaml`. For one that is `multiple`. */
  positional?: boolean;
}

/** Values by option name; an option that was not given is not there. */
export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Resolves with the exit code when the command is done. */
  run(values: Values): Promise<number>;
}

/** A command that is loaded only when it runs. */
export interface ListedCommand {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** What a command ends with. */
export const exitCode = { ok: 0, failed: 1, invalid: 2, unreachable: 3 } as const;

/** The values of an option that is `multiple`, in their order. */
export function listOf(values: Values, name: string): readonly string[] {
  const given = values[name];
  return Array.isArray(given) ? given : [];
}

/** Finds the command, reads its options, and runs it; resolves with the exit code. */
export async function runCommand(
  commands: readonly ListedCommand[],
  args: readonly string[],
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) return refuse(overview(commands));
  if (name.startsWith('-')) return runWithout(commands, args);
  const listed = commands.find((one) => one.name === name);
  if (listed === undefined) {
    const known = commands.map((one) => one.name);
    return refuse(`unknown command ${quote(name)}${didYouMean(name, known)}; see backlog-scaler --help\n`);
  }
  const command = await listed.load();
  const parsed = parseArguments(rest, command.options);
  if ('fault' in parsed) return refuse(`${parsed.fault}; see backlog-scaler ${name} --help\n`);
  const { values } = parsed;
  if (values['help']) return say(commandUsage(command));
  if (values['version']) return say(`${version}\n`);
  const missing = missingOption(command.options, values);
  if (missing !== undefined) return refuse(`${missing}; see backlog-scaler ${name} --help\n`);
  return command.run(values);
}

/** `backlog-scaler --help`. */
function runWithout(commands: readonly ListedCommand[], args: readonly string[]): number {
  const parsed = parseArguments(args, {});
  if ('fault' in parsed) return refuse(`${parsed.fault}; see backlog-scaler --help\n`);
  return say(parsed.values['version'] ? `${version}\n` : overview(commands));
}

function say(text: string): number {
  process.stdout.write(text);
  return exitCode.ok;
}

function refuse(text: string): number {
  process.stderr.write(text);
  return exitCode.invalid;
}

type Options = Readonly<Record<string, Option>>;

export type ParsedArguments = { values: Values } | { fault: string };

/** `--help` and `--version` are known to every command. */
export const commonOptions = {
  help: { type: 'boolean', short: 'h', doc: 'Show this text.' },
  version: { type: 'boolean', doc: 'Show the version.' },
} as const satisfies Options;

/** Reads a command's arguments. Reports the first mistake in one sentence. */
export function parseArguments(args: readonly string[], own: Options): ParsedArguments {
  const options: Options = { ...own, ...commonOptions };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [
        name,
        short === undefined ? { type } : { type, short },
      ]),
    ),
    // Not strict: its errors come with a suggestion of their own that does not fit.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | boolean | string[]> = {};
  const keep = (name: string, value: string | boolean): void => {
    const before = values[name];
    if (!options[name]?.multiple) values[name] = value;
    else if (Array.isArray(before)) before.push(String(value));
    else values[name] = [String(value)];
  };
  const alone = Object.keys(options).find((name) => options[name]?.positional);
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (alone === undefined) return { fault: `unexpected argument ${quote(token.value)}` };
      keep(alone, token.value);
    }
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      return { fault: `unknown option ${printable(token.rawName)}${suggest(token.name, options)}` };
    }
    const read = readValue(option, token);
    if (typeof read === 'object') return read;
    keep(token.name, read);
  }
  return { values };
}

/** The first required option that is missing. */
export function missingOption(options: Options, values: Values): string | undefined {
  const missing = Object.entries(options).find(
    ([name, { required }]) => required && values[name] === undefined,
  );
  return missing && `--${missing[0]} ${missing[1].value ?? ''} is needed`;
}

function readValue(
  option: Option,
  {
    rawName,
    value,
    inlineValue,
  }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
): string | boolean | { fault: string } {
  if (option.type === 'boolean') return inlineValue ? { fault: `${rawName} takes no value` } : true;
  // `-` alone is standard input. `--config --help` is a forgotten value, not a file of that name; `--config=--help` is one.
  const forgotten =
    value === undefined || value === '' || (!inlineValue && value.startsWith('-') && value !== '-');
  return forgotten ? { fault: `${rawName} needs a value: ${rawName} ${option.value ?? 'VALUE'}` } : value;
}

function suggest(name: string, options: Options): string {
  const near = didYouMean(name, Object.keys(options));
  return near.replace('"', '"--');
}

export function overview(commands: readonly ListedCommand[]): string {
  const rows = commands.map(({ name, summary }): [string, string] => [name, summary]);
  return [
    'backlog-scaler: wakes and sizes Kubernetes workloads by their backlog (a KEDA external scaler)',
    '',
    'Usage: backlog-scaler COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...columns(rows),
    '',
    'Every command has --help. Exit codes: 0 fine, 1 failed, 2 invalid input, 3 source unreachable.',
    '',
  ].join('\n');
}

export function commandUsage({ name, summary, options }: Command): string {
  const all: [string, Option][] = Object.entries({ ...options, ...commonOptions });
  const needed = all.filter(([, { required }]) => required).map((entry) => ` ${optionText(entry)}`);
  const rows = all.map((entry): [string, string] => [optionText(entry), entry[1].doc]);
  return [
    summary,
    '',
    `Usage: backlog-scaler ${name}${needed.join('')} [OPTIONS]`,
    '',
    ...columns(rows),
    '',
  ].join('\n');
}

function optionText([name, { value, short, multiple }]: [string, Option]): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}${multiple ? '…' : ''}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

function columns(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
