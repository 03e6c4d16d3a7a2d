import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { LoadedConfig } from '../../src/config/load.ts';
import { sources } from '../../src/sources/index.ts';
import type { Measured } from '../../src/triggers/resolve.ts';
import { chartConfig, readChartValues } from '../support/chart-values.ts';
import { loadExample } from '../support/example-config.ts';
import { resolvingIn } from '../support/live-triggers.ts';

const root = new URL('../../deploy/examples/', import.meta.url);

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
});
const scaled = manifest.extend({
  kind: z.enum(['ScaledObject', 'ScaledJob']),
  spec: z.looseObject({
    pollingInterval: z.number().optional(),
    scaleTargetRef: z.object({ name: z.string() }).optional(),
    scalingStrategy: z.looseObject({ strategy: z.string() }).optional(),
    triggers: z.array(z.object({ type: z.string(), metadata: z.record(z.string(), z.string()) })).min(1),
  }),
});
type Scaled = z.infer<typeof scaled>;

/** The manifests of sources. `test/ingest/examples.test.ts` plays those in `hints`. */
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /^(?!hints\/).+\/(?!values\.yaml).+\.yaml$/.test(name),
);

/** The documents of a file. A duplicate key or a wrong indent is an error. */
function manifests(file: string): z.infer<typeof manifest>[] {
  return parseAllDocuments(readFileSync(new URL(file, root), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return manifest.parse(document.toJS());
  });
}

function triggersOf({ metadata, spec }: Scaled, { settings, connections }: LoadedConfig): Measured[] {
  const { maxStalenessSeconds } = settings.limits;
  const resolve = resolvingIn(sources, connections, maxStalenessSeconds);
  return spec.triggers.map((trigger) => resolve({ ...metadata, metadata: trigger.metadata }));
}

const folders = [...new Set(files.map((file) => file.slice(0, file.indexOf('/'))))];

it('there are examples for every source', () => {
  expect(folders.toSorted()).toEqual(sources.map(({ kind }) => kind).toSorted());
});

describe.each(folders)('deploy/examples/%s', (folder) => {
  const own = files.filter((file) => file.startsWith(`${folder}/`));
  const all = own.flatMap((file) => manifests(file).map((one) => ({ file, one })));
  const scaledObjects = all
    .filter(({ one }) => one.kind === 'ScaledObject' || one.kind === 'ScaledJob')
    .map(({ file, one }) => ({ file, one: scaled.parse(one) }));
  let config: LoadedConfig;

  beforeAll(async () => {
    config = await loadExample(chartConfig(readChartValues(`deploy/examples/${folder}/values.yaml`)));
  });

  it('has values with a connection of its source', () => {
    const kinds = new Set([...config.connections.values()].map(({ source }) => source.kind));
    expect([...kinds]).toEqual([folder]);
  });

  it('has triggers', () => {
    expect(scaledObjects.length).toBeGreaterThan(0);
  });

  it.each(scaledObjects)('$file: the scaler takes its triggers', ({ one }) => {
    for (const trigger of triggersOf(one, config)) expect(trigger.source.kind).toBe(folder);
  });

  it.each(scaledObjects)('$file: polls or pushes as its kind can', ({ one }) => {
    const { kind, spec } = one;
    const types = spec.triggers.map(({ type }) => type);
    if (kind === 'ScaledObject') expect(types).toEqual(['external-push']);
    // A pushed true creates no Job. Only polls count.
    else expect([types, spec.pollingInterval]).toEqual([['external'], 1]);
  });

  it.each(scaledObjects.filter(({ one }) => one.kind === 'ScaledObject'))(
    '$file: what it scales, where it is here, leaves the replicas to KEDA',
    ({ one }) => {
      const target = all.find(
        (other) =>
          other.one.kind === 'Deployment' && other.one.metadata.name === one.spec.scaleTargetRef?.name,
      );
      expect(target?.one['spec'] ?? {}).not.toHaveProperty('replicas');
    },
  );

  it.each(scaledObjects.filter(({ one }) => one.spec.scalingStrategy !== undefined))(
    '$file: counts what its strategy wants counted',
    ({ one }) => {
      const wanted = one.spec.scalingStrategy?.strategy === 'accurate' ? 'queued' : undefined;
      expect(one.spec.triggers.map(({ metadata }) => metadata['count'])).toEqual([wanted]);
    },
  );
});
