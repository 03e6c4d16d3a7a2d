import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Source {
  readonly imports: readonly string[];
  readonly tools: readonly string[];
}

const sources = new Map<string, Source>();

/**
 * The tools that a test file needs, itself or through its imports. They are the names in calls of `tool` and `useTools`.
 * A file without such calls needs only Node.
 */
export function toolsNeededBy(file: string): ReadonlySet<string> {
  return new Set([...filesOf(file)].flatMap((one) => read(one).tools));
}

/** Whether a test file imports a file, itself or through its imports. */
export function isImportedBy(file: string, imported: string): boolean {
  return filesOf(file).has(imported);
}

/** A file, and what it imports. */
function filesOf(file: string): ReadonlySet<string> {
  const files = new Set([file]);
  // The set grows during the loop.
  for (const one of files) for (const imported of read(one).imports) files.add(imported);
  return files;
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
