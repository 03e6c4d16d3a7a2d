import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Where our modules are: `src`, or `dist` as built. */
const program = new URL('./', import.meta.url);

/** A file of the program that is no module, by its path in `src`. */
export function programFile(path: string): URL {
  return new URL(path, program);
}

/** A file beside package.json. */
export function packageFile(path: string): URL {
  return new URL(`../${path}`, program);
}

/** The release, as package.json has it. */
export const version = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))).version;

/** The commit it was built from; images set this. */
export const commit = process.env['BACKLOG_SCALER_COMMIT'] ?? 'unknown';
