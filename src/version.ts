import { readFileSync } from 'node:fs';
import { z } from 'zod';

const packageFile = new URL('../package.json', import.meta.url);

/** The release, as package.json has it. */
export const version = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version;

/** The commit it was built from; images set this. */
export const commit = process.env['BACKLOG_SCALER_COMMIT'] ?? 'unknown';
