import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { cached, versionOf } from '../support/tools/cached.ts';
import { run } from '../support/tools/run.ts';

export const autoInstrumentations = '@opentelemetry/auto-instrumentations-node';

const pinned = fileURLToPath(new URL('auto-instrumentations/', import.meta.url));
const files = ['package.json', 'package-lock.json'];
const shape = z.object({ dependencies: z.object({ [autoInstrumentations]: z.string() }) });

/** The version that docs/tracing.md names. */
export const autoInstrumentationsVersion = shape.parse(
  JSON.parse(readFileSync(join(pinned, 'package.json'), 'utf8')),
).dependencies[autoInstrumentations];

/** The address of the module that Node imports first. */
export async function registerModule(): Promise<string> {
  const version = versionOf(files.map((file) => join(pinned, file)));
  const home = await cached({ name: 'auto-instrumentations', version }, async (unfinished) => {
    mkdirSync(unfinished);
    for (const file of files) copyFileSync(join(pinned, file), join(unfinished, file));
    const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['ci', ...quiet], {
      cwd: unfinished,
      doing: `fetching ${autoInstrumentations} with npm`,
    });
  });
  return pathToFileURL(join(home, 'node_modules', autoInstrumentations, 'dist', 'register.mjs')).href;
}
