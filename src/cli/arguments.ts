import { parseArgs } from 'node:util';
import { quote } from '../params/printable.ts';
import { didYouMean } from '../params/suggest.ts';
import type { Option, Values } from './command.ts';

type Options = Readonly<Record<string, Option>>;

export type ParsedArguments = { values: Values } | { fault: string };

/** `--help` and `--version` are known to every command. */
export const commonOptions = {
  help: { type: 'boolean', doc: 'Show this text.' },
  version: { type: 'boolean', doc: 'Show the version.' },
} as const satisfies Options;

/** Reads a command's arguments; the first thing that is wrong is said in one sentence. */
export function parseArguments(args: readonly string[], own: Options): ParsedArguments {
  const options: Options = { ...own, ...commonOptions };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }])),
    // Not strict: its errors come with a suggestion of their own that does not fit.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | boolean> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') return { fault: `unexpected argument ${quote(token.value)}` };
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      return { fault: `unknown option ${token.rawName}${suggest(token.name, options)}` };
    }
    const read = readValue(option, token);
    if (typeof read === 'object') return read;
    values[token.name] = read;
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
  // `--config --help` is a forgotten value, not a file of that name; `--config=--help` is one.
  const forgotten = value === undefined || value === '' || (!inlineValue && value.startsWith('-'));
  return forgotten ? { fault: `${rawName} needs a value: ${rawName} ${option.value ?? 'VALUE'}` } : value;
}

function suggest(name: string, options: Options): string {
  const near = didYouMean(name, Object.keys(options));
  return near.replace('"', '"--');
}
