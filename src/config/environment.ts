import { parse } from 'yaml';
import type { Faults, Path } from './faults.ts';
import { pathText } from './faults.ts';
import { mapTexts } from './tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Expanded {
  value: unknown;
  /** Where a variable was put in: what it holds is text, also where the setting is a number. */
  paths: ReadonlySet<string>;
}

/** Puts the environment's variables in place of `${NAME}`; `$${` stands for the two characters themselves. */
export function expandEnvironment(document: unknown, environment: Environment, faults: Faults): Expanded {
  const paths = new Set<string>();
  const value = mapTexts(document, (text, path) => {
    if (!text.includes('${')) return text;
    return text.replace(reference, (match: string, name: string | undefined, closed: string) => {
      if (match === '$${') return '${';
      const found = lookUp(name ?? '', closed !== '', environment, faults, path);
      if (found !== undefined) paths.add(pathText(path));
      return found ?? '';
    });
  });
  return { value, paths };
}

function lookUp(
  name: string,
  closed: boolean,
  environment: Environment,
  faults: Faults,
  path: Path,
): string | undefined {
  if (!closed || !variableName.test(name)) {
    faults.add(
      path,
      'a dollar sign and "{" must be followed by the name of a variable and "}"; write two dollar signs for the text itself',
    );
    return undefined;
  }
  const value = environment[name];
  if (value === undefined) faults.add(path, `the environment variable ${name} is not set`);
  return value;
}

/** `8080` and `true` out of a variable, for settings that are not text; undefined for everything else. */
export function typedValue(text: unknown): number | boolean | undefined {
  if (typeof text !== 'string' || !/^(true|false|-?\d+(\.\d+)?)$/.test(text)) return undefined;
  const value: unknown = parse(text);
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}
