import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const autoInstrumentations = '@opentelemetry/auto-instrumentations-node';
/** The one that docs/tracing.md names. */
export const autoInstrumentationsVersion = '0.82.0';

const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** Why the package cannot be had on this machine. */
export class OtelUnavailable extends Error {
  override readonly name = 'OtelUnavailable';
}

/** The address of what Node is to import first; npm installs it once. */
export function registerModule(): string {
  const home = join(cache, `otel-${autoInstrumentationsVersion}`);
  const file = join(home, 'node_modules', autoInstrumentations, 'dist', 'register.mjs');
  if (!existsSync(file)) install(home);
  return pathToFileURL(file).href;
}

function install(home: string): void {
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${home}.unfinished-`);
  try {
    writeFileSync(join(unfinished, 'package.json'), '{ "private": true }\n');
    const name = `${autoInstrumentations}@${autoInstrumentationsVersion}`;
    const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--ignore-scripts'];
    const { status, stderr, error } = spawnSync('npm', ['install', ...quiet, name], {
      cwd: unfinished,
      encoding: 'utf8',
    });
    if (status !== 0) throw new OtelUnavailable(`npm cannot install ${name}: ${error?.message ?? stderr}`);
    if (!existsSync(home)) renameSync(unfinished, home);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
