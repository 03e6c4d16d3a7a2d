import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every path of a tree with its size and the time of its last change, so that a write of any kind shows. */
export function contentsOf(root: string): ReadonlyMap<string, string> {
  const paths = ['', ...readdirSync(root, { recursive: true, encoding: 'utf8' })];
  return new Map(
    paths.map((path) => {
      const { size, mtimeMs } = lstatSync(join(root, path));
      return [path, `${size} bytes, ${mtimeMs}`];
    }),
  );
}

/** Takes or gives the right to write, all the way down. */
export function setWritable(root: string, writable: boolean): void {
  for (const path of ['', ...readdirSync(root, { recursive: true, encoding: 'utf8' })]) {
    const full = join(root, path);
    const status = lstatSync(full);
    if (status.isSymbolicLink()) continue;
    chmodSync(full, writable ? status.mode | 0o200 : (status.mode | 0o444) & ~0o222);
  }
}
