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
 * The path in the cache of a file or folder from `make`, made now or earlier. If several test files need it at the same
 * time, one makes it and the others wait. An interrupted `make` is repeated. Older versions are removed.
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

/** A version computed from files and other values. */
export function versionOf(files: readonly string[], ...others: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of [...others, ...files.toSorted().map((file) => readFileSync(file))]) hash.update(part);
  return hash.digest('hex').slice(0, 12);
}

/** A running program is not disturbed: its file is only deleted once it ends. */
function removeOthers(name: string, path: string): void {
  for (const entry of readdirSync(cache).filter((each) => each.startsWith(`${name}@`))) {
    const other = join(cache, entry);
    if (!other.startsWith(path)) rmSync(other, { recursive: true, force: true });
  }
}
