import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The image's major version. From 24.6 on, Node sizes its heap by a share of the memory limit. */
const version = '24.21.0';
const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** Why Node 24 cannot be had on this machine. */
export class NodeUnavailable extends Error {
  override readonly name = 'NodeUnavailable';
}

/** The path of Node 24, which npm has as a package for each platform; fetched once. */
export function node24(): string {
  const home = join(cache, `node-${version}`);
  const node = join(home, 'bin', 'node');
  if (!existsSync(node)) fetch(home);
  const runs = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (runs.stdout?.trim() !== `v${version}`) {
    throw new NodeUnavailable(`${node} does not run: ${runs.error?.message ?? runs.stderr}`);
  }
  return node;
}

function fetch(home: string): void {
  const name = `node-${process.platform}-${process.arch}@${version}`;
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${home}.unfinished-`);
  try {
    run('npm', ['pack', '--loglevel=error', '--pack-destination', unfinished, name], name);
    run('tar', ['xzf', join(unfinished, name.replace('@', '-').concat('.tgz')), '-C', unfinished], name);
    if (!existsSync(home)) renameSync(join(unfinished, 'package'), home);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], what: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new NodeUnavailable(`npm cannot fetch ${what}: ${error?.message ?? stderr}`);
}
