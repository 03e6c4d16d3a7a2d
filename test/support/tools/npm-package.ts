import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cached.ts';
import { run } from './run.ts';

/** A folder with what a package of npm's registry holds, without what it depends on. */
export function npmPackage(name: string, version: string): Promise<string> {
  // A scope is a part of its name, not a folder of the cache.
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
