import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cached.ts';
import { run } from './run.ts';
import { ToolMissing } from './tool-missing.ts';

/** Twenty megabytes from a mirror, and package lists before them. */
export const prometheusLimitMs = 5 * 60_000;

/** Paths of programs. */
export interface PrometheusTools {
  readonly prometheus: string;
  readonly promtool: string;
}

/** Prometheus from Debian's package, unpacked and never installed. Its version is that of the Debian at hand. */
export async function prometheusTools(): Promise<PrometheusTools> {
  const home = await cached({ name: 'prometheus', version: 'debian' }, async (unfinished) => {
    await mkdir(unfinished);
    await download(unfinished);
    const file = readdirSync(unfinished).find((name) => name.endsWith('.deb')) ?? '';
    await run('dpkg', ['-x', join(unfinished, file), unfinished], { doing: 'unpacking Prometheus' });
  });
  const programs = join(home, 'usr', 'bin');
  const found = { prometheus: join(programs, 'prometheus'), promtool: join(programs, 'promtool') };
  if (Object.values(found).every((path) => existsSync(path))) return found;
  throw new ToolMissing("Debian's package has no prometheus and promtool");
}

/** A machine whose package lists were cleaned, as in most container images, gets lists of our own. */
async function download(directory: string): Promise<void> {
  const where = { cwd: directory, doing: "fetching Debian's package prometheus with apt-get" };
  try {
    await run('apt-get', ['download', 'prometheus'], where);
  } catch {
    const lists = join(directory, 'lists');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${directory}`];
    await run('apt-get', [...own, 'update'], where);
    await run('apt-get', [...own, 'download', 'prometheus'], where);
  }
}
