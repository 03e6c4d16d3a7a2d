import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What `.dockerignore` lets through: it shuts everything out and names what may pass. */
export function contextPaths(repository: string): readonly string[] {
  const lines = readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines[0] !== '*') throw new Error('.dockerignore lets through what it does not name');
  return lines.slice(1).map((line) => {
    if (!line.startsWith('!')) throw new Error(`.dockerignore: ${line} names nothing that may pass`);
    return line.slice(1);
  });
}

/** The build context as the builder would get it. */
export function copyContext(repository: string, into: string): void {
  for (const path of contextPaths(repository)) {
    mkdirSync(dirname(join(into, path)), { recursive: true });
    cpSync(join(repository, path), join(into, path), { recursive: true });
  }
}
