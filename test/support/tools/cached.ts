import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from './made-once.ts';

const cache = fileURLToPath(new URL('../../../.cache/tools/', import.meta.url));

interface Versioned {
  readonly name: string;
  readonly version: string;
}

/**
 * The path in the cache of what `make` makes, a file or a folder, or of what it made before. However many test files
 * ask at a time, one makes it and the others wait. What is cut short is made again; older versions are removed.
 */
export async function cached(
  { name, version }: Versioned,
  make: (unfinished: string) => Promise<void>,
): Promise<string> {
  const path = join(cache, `${name}@${version}`);
  mkdirSync(cache, { recursive: true });
  await madeOnce(path, async () => {
    const unfinished = `${path}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    await make(unfinished);
    renameSync(unfinished, path);
    removeOthers(name, path);
  });
  return path;
}

/** The version of what files decide, and other things with them. */
export function versionOf(files: readonly string[], ...others: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of [...others, ...files.toSorted().map((file) => readFileSync(file))]) hash.update(part);
  return hash.digest('hex').slice(0, 12);
}

/** A program that runs is not disturbed: its file goes when it ends. */
function removeOthers(name: string, path: string): void {
  for (const entry of readdirSync(cache).filter((each) => each.startsWith(`${name}@`))) {
    const other = join(cache, entry);
    if (!other.startsWith(path)) rmSync(other, { recursive: true, force: true });
  }
}
