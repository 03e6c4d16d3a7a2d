import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cached.ts';
import { run } from './run.ts';

/** The image's major version. From 24.6 on, Node sizes its heap by a share of the memory limit. */
const version = '24.21.0';

/** The path of Node 24, which npm has as a package for each platform. */
export async function node24(): Promise<string> {
  const home = await cached({ name: 'node-24', version }, async (unfinished) => {
    const name = `node-${process.platform}-${process.arch}`;
    const doing = `fetching ${name} ${version} with npm`;
    await mkdir(unfinished);
    const into = ['--loglevel=error', '--pack-destination', unfinished];
    await run('npm', ['pack', ...into, `${name}@${version}`], { doing });
    const archive = join(unfinished, `${name}-${version}.tgz`);
    await run('tar', ['xzf', archive, '-C', unfinished, '--strip-components=1'], { doing });
    await run(join(unfinished, 'bin', 'node'), ['--version'], { doing });
  });
  return join(home, 'bin', 'node');
}
