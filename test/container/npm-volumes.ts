import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/tools/run.ts';

/** Mounts for a RUN, so that npm there uses the same registry, certificates and cache as npm here. */
export async function npmVolumes(directory: string): Promise<string[]> {
  const [cache, registry, cafile] = [
    await setting('cache'),
    await setting('registry'),
    await setting('cafile'),
  ];
  const trusts = cafile !== 'null';
  const settings = ['cache=/npm', 'prefer-offline=true', `registry=${registry}`];
  const npmrc = join(directory, 'npmrc');
  writeFileSync(npmrc, [...settings, trusts ? `cafile=${cafile}` : '', ''].join('\n'));
  return [`${npmrc}:/usr/local/etc/npmrc:ro`, `${cache}:/npm`, ...(trusts ? [`${cafile}:${cafile}:ro`] : [])];
}

async function setting(key: string): Promise<string> {
  return (await run('npm', ['config', 'get', key], { doing: `asking npm for its ${key}` })).trim();
}
