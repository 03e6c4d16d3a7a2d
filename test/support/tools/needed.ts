import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Source {
  readonly imports: readonly string[];
  readonly tools: readonly string[];
}

const sources = new Map<string, Source>();

/**
 * The names of tools that a test file asks for, itself or by what it imports, as names written in calls of `tool` and `useTools`.
 * A file that asks for none needs Node alone.
 */
export function toolsNeededBy(file: string): ReadonlySet<string> {
  const files = new Set([file]);
  const tools = new Set<string>();
  // It grows while it is gone through.
  for (const one of files) {
    const source = read(one);
    for (const name of source.tools) tools.add(name);
    for (const imported of source.imports) files.add(imported);
  }
  return tools;
}

function read(file: string): Source {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const imports = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?'(\.[^']+\.ts)';/gms)].map(
    ([, specifier = '']) => join(dirname(file), specifier),
  );
  const asked = [...text.matchAll(/\b(?:tool|useTools)\(([^()]*)\)/g)].map(([, names = '']) => names);
  const tools = asked.flatMap((names) => [...names.matchAll(/'([^']+)'/g)].map(([, name = '']) => name));
  const source = { imports, tools };
  sources.set(file, source);
  return source;
}
