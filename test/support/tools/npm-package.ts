import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cached.ts';
import { run } from './run.ts';

/** A folder with the content of an npm package, without its dependencies. */
export function npmPackage(name: string, version: string): Promise<string> {
  // In the cache a scope is part of the name, not a folder.
  const plain = name.replace('@', '').replace('/', '-');
  return cached({ name: plain, version }, async (unfinished) => {
    const doing = `fetching ${name} ${version} with npm`;
    await mkdir(unfinished);
    const into = ['--loglevel=error', '--pack-destination', unfinished];
    await run('npm', ['pack', ...into, `${name}@${version}`], { doing });
    const archive = join(unfinished, `${plain}-${version}.tgz`);
    await run('tar', ['xzf', archive, '-C', unfinished, '--strip-components=1'], { doing });
    await run('rm', [archive], { doing });
  });
}
