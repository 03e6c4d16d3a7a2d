import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, versionOf } from './cached.ts';
import { run } from './run.ts';

/**
 * A folder with the content of Debian's packages, and of dependencies that this machine lacks. They are unpacked, never
 * installed. Their versions are those of this machine's Debian.
 */
export function debianPackages(name: string, packages: readonly string[]): Promise<string> {
  return cached({ name, version: versionOf([], packages.join()) }, async (unfinished) => {
    const fetched = join(unfinished, 'fetched');
    await download(packages, fetched);
    for (const archive of readdirSync(fetched).filter((entry) => entry.endsWith('.deb')))
      await run('dpkg', ['-x', join(fetched, archive), unfinished], { doing: `unpacking ${archive}` });
    rmSync(fetched, { recursive: true });
  });
}

/** If this machine has no package lists, as in most container images, fetches lists of our own. */
async function download(packages: readonly string[], into: string): Promise<void> {
  const where = { doing: `fetching Debian's packages ${packages.join(', ')} with apt-get` };
  mkdirSync(join(into, 'partial'), { recursive: true });
  // Changes nothing on the machine, so it needs no lock and no root.
  const own = ['-y', '-o', 'Debug::NoLocking=1', '-o', `Dir::Cache::archives=${into}`];
  const install = ['--no-install-recommends', '--reinstall', '--download-only', 'install', ...packages];
  try {
    await run('apt-get', [...own, ...install], where);
  } catch {
    const lists = join(into, 'lists');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const listed = [...own, '-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${into}`];
    await run('apt-get', [...listed, 'update'], where);
    await run('apt-get', [...listed, ...install], where);
  }
}
