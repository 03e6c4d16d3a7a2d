import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** Paths of programs. */
export interface PrometheusTools {
  readonly prometheus: string;
  readonly promtool: string;
}

/** Why Prometheus cannot be had on this machine, for a reason that is not the repository's. */
export class PrometheusUnavailable extends Error {
  override readonly name = 'PrometheusUnavailable';
}

/** Prometheus from Debian's package, unpacked into the cache and never installed; one that is there is used again. */
export async function prometheusTools(): Promise<PrometheusTools> {
  const tools = cached() ?? (await fetched());
  if (tools === undefined) throw new PrometheusUnavailable("Debian's package has no prometheus and promtool");
  return tools;
}

function cached(): PrometheusTools | undefined {
  if (!existsSync(cache)) return undefined;
  for (const name of readdirSync(cache).filter((each) => each.startsWith('prometheus-'))) {
    const prometheus = join(cache, name, 'usr/bin/prometheus');
    const promtool = join(cache, name, 'usr/bin/promtool');
    if (existsSync(prometheus) && existsSync(promtool)) return { prometheus, promtool };
  }
  return undefined;
}

async function fetched(): Promise<PrometheusTools | undefined> {
  mkdirSync(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, 'unpacking-'));
  try {
    await download(scratch);
    const file = readdirSync(scratch).find((name) => name.endsWith('.deb'));
    const version = file?.split('_')[1];
    if (file === undefined || version === undefined) return undefined;
    await run('dpkg', ['-x', join(scratch, file), join(scratch, 'unpacked')]);
    // Another test file may have been faster: then what it made is there, and is the same.
    await rename(join(scratch, 'unpacked'), join(cache, `prometheus-${version}`)).catch(() => {});
    return cached();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PrometheusUnavailable(`apt-get cannot download the package prometheus: ${reason}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A machine whose package lists were cleaned, as in most container images, gets lists of our own. */
async function download(directory: string): Promise<void> {
  const options = { cwd: directory };
  try {
    await run('apt-get', ['download', 'prometheus'], options);
  } catch {
    const lists = join(directory, 'lists');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${directory}`];
    await run('apt-get', [...own, 'update'], options);
    await run('apt-get', [...own, 'download', 'prometheus'], options);
  }
}
