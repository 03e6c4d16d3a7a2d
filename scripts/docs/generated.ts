import { readdirSync, readFileSync } from 'node:fs';
import type { AnySource } from '../../src/sources/source.ts';
import { configurationPage } from './configuration.ts';
import { errorsPage } from './errors.ts';
import {
  chartSources,
  filled,
  guideParts,
  rateLimitAlert,
  readingOldAlert,
  sourcesPage,
  withSourceNames,
} from './sources.ts';
import { triggersPage } from './triggers.ts';

const root = new URL('../../', import.meta.url);
const chart = 'deploy/helm/backlog-scaler';
const schemaPath = `${chart}/values.schema.json`;

/** Every file generated for these sources, by its path. Some are generated as a whole, others in parts. */
export function generated(sources: readonly AnySource[]): ReadonlyMap<string, string> {
  const alerts = {
    BacklogScalerReadingOld: readingOldAlert(sources),
    BacklogScalerRateLimitLow: rateLimitAlert(sources),
  };
  const parts = guideParts(sources);
  const guides = readdirSync(new URL('docs', root))
    .filter((name) => name.endsWith('.md'))
    // simulate.md needs runs of the command: see scripts/docs/simulate.ts.
    .filter((name) => name !== 'simulate.md')
    .map((name) => `docs/${name}`)
    .filter((path) => read(path).includes('<!-- Made by `npm run docs`: '));
  return new Map([
    ['docs/configuration.md', configurationPage(sources)],
    ['docs/triggers.md', triggersPage(sources)],
    ['docs/errors.md', errorsPage()],
    ['docs/sources.md', sourcesPage(sources)],
    ...guides.map((path): [string, string] => [path, filled(read(path), parts)]),
    ...Object.entries(alerts).flatMap(([name, text]): [string, string][] => [
      [`deploy/alerts/${name}.yaml`, text],
      [`${chart}/files/alerts/${name}.yaml`, text],
    ]),
    [`${chart}/files/sources.yaml`, chartSources(sources)],
    [schemaPath, withSourceNames(read(schemaPath), sources)],
  ]);
}

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}
