import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { ScalerError } from '../../../src/errors.ts';
import type { Metadata } from '../../../src/params/parse.ts';
import type { Param } from '../../../src/params/schema.ts';
import { sources } from '../../../src/sources/index.ts';
import type { AnySource, ConfiguredConnection, ConnectionKey } from '../../../src/sources/source.ts';
import { commonParams, kedaOwnKeys } from '../../../src/triggers/common-params.ts';
import { bytesOf, kept, type Reference } from '../../../src/triggers/reference.ts';
import { resolve, type World } from '../../../src/triggers/resolve.ts';
import { chartConfig, readChartValues } from '../../support/chart-values.ts';
import { loadExample } from '../../support/example-config.ts';
import { lines } from '../../support/toy-source/index.ts';

const maxBytes = 64 * 1024;

/** Repeated up to the greatest length of a message. */
const units = [
  '0-49999,',
  '9007199254740992',
  '9',
  '1,',
  ',',
  '*a',
  '?*',
  'a,b',
  'acme/x,',
  'https://',
  'é\u202e',
  ' ',
  '"\\',
  'x',
];

const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...units), fc.integer({ min: 1, max: maxBytes }), fc.string({ maxLength: 3 }))
      .map(([unit, length, end]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length) + end),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1', '0', 'true', 'orders', 'a,b', '1-3', '0x10', '1e308', '__proto__'),
  },
);

/** Some of the known keys, in any of their spellings, and perhaps thousands of others. */
function hostileMetadata(source: AnySource, good: Metadata): fc.Arbitrary<Metadata> {
  const known = [
    ...Object.keys(commonParams.table),
    ...Object.keys(source.params.table),
    ...Object.keys(source.connectionKeys),
    ...kedaOwnKeys,
  ];
  const compared = Object.keys(source.connectionKeys).filter((name) => source.connectionKeys[name]?.agrees);
  const read = [...Object.keys(source.params.table), ...compared];
  const key = fc
    .tuple(
      fc.oneof(fc.constantFrom(...known), fc.constantFrom(...read)),
      fc.constantFrom('', '', 'FromEnv', 's'),
    )
    .map(([name, end]) => `${name}${end}`);
  const entries = fc.array(fc.tuple(key, hostileText), { maxLength: 4 });
  const others = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 5_000 }) },
  );
  return fc.tuple(fc.boolean(), entries, others).map(([isGood, given, count]) => {
    const metadata: Record<string, string> = { source: source.kind, ...(isGood ? good : {}) };
    for (const [name, value] of given) metadata[name] = value;
    for (let i = 0; i < count; i += 1) metadata[`${known[i % known.length]}${i}`] = '1';
    return metadata;
  });
}

/** The source, with a counter of every character of an author's value that reaches the source's own code. */
function counting(source: AnySource): { source: AnySource; steps: () => number; reset: () => void } {
  let steps = 0;
  const table = Object.fromEntries(
    Object.entries<Param<unknown>>(source.params.table).map(([name, param]) => {
      const parse = (text: string): unknown => {
        steps += text.length;
        return param.parse(text);
      };
      return [name, { ...param, parse }];
    }),
  );
  const connectionKeys: Record<string, ConnectionKey<unknown>> = {};
  for (const [name, key] of Object.entries(source.connectionKeys)) {
    const { agrees } = key;
    connectionKeys[name] = agrees
      ? {
          ...key,
          agrees: (config, value) => {
            steps += value.length;
            return agrees(config, value);
          },
        }
      : key;
  }
  const counted: AnySource = { ...source, params: { ...source.params, table }, connectionKeys };
  return { source: counted, steps: () => steps, reset: () => (steps = 0) };
}

/** The number of values at any depth. */
function members(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Set || value instanceof Map) return 1 + value.size;
  return Object.values(value).reduce<number>((sum, one) => sum + members(one), 1);
}

type Outcome =
  | { kind: 'measured'; params: unknown; paramsKey: string }
  | { kind: 'refused'; message: string };

function outcomeOf(reference: Reference, world: World): Outcome {
  try {
    const { params, paramsKey } = resolve(reference, world);
    return { kind: 'measured', params, paramsKey };
  } catch (reason) {
    if (!(reason instanceof ScalerError)) throw reason;
    return { kind: 'refused', message: reason.message };
  }
}

const manifest = z.looseObject({
  metadata: z.looseObject({ namespace: z.string() }),
  spec: z
    .looseObject({
      triggers: z.array(z.looseObject({ metadata: z.record(z.string(), z.string()) })).optional(),
    })
    .optional(),
});

/** The folder of a source's examples. */
function examplesOf({ kind }: AnySource): string {
  return kind === lines.kind ? 'test/support/toy-source/examples' : `deploy/examples/${kind}`;
}

/** The trigger of an example in the folder. */
function exampleIn(folder: string): { namespace: string; metadata: Metadata } {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.yaml') || file.endsWith('values.yaml')) continue;
    for (const document of parseAllDocuments(readFileSync(`${folder}/${file}`, 'utf8'))) {
      const { data } = manifest.safeParse(document.toJS());
      const metadata = data?.spec?.triggers?.[0]?.metadata;
      if (data && metadata) return { namespace: data.metadata.namespace, metadata };
    }
  }
  throw new Error(`${folder} has no trigger`);
}

describe.each([...sources, lines])('whatever an author writes for $kind', (original) => {
  const { source, steps, reset } = counting(original);
  const { namespace, metadata: good } = exampleIn(examplesOf(original));
  const metadata = hostileMetadata(source, good);
  const refer = (given: Metadata): Reference => ({ namespace, name: 'worker', metadata: given });
  let world: World;

  beforeAll(async () => {
    const values = chartConfig(readChartValues(`${examplesOf(original)}/values.yaml`));
    const { connections } = await loadExample(values, [...sources, lines]);
    const counted = [...connections.values()].map((one): ConfiguredConnection => ({ ...one, source }));
    world = {
      sources: [source],
      connections: new Map(counted.map((connection) => [connection.name, connection])),
      maxStalenessSeconds: 60,
      refuseSecretsFromEnv: true,
    };
  });

  it('starts from an accepted trigger', () => {
    expect(outcomeOf(refer(good), world)).toMatchObject({ kind: 'measured' });
  });

  it('every key has a maximum that fits into a message', () => {
    for (const { most } of Object.values<Param<unknown>>(source.params.table)) {
      expect(most.characters).toBeGreaterThan(0);
      expect(most.characters).toBeLessThanOrEqual(maxBytes);
    }
  });

  it('work, message and results are bounded', () => {
    const table = Object.values<Param<unknown>>(source.params.table);
    const mostCharacters = table.reduce((sum, { most }) => sum + most.characters, 0);
    const mostMembers = table.reduce((sum, { most }) => sum + 3 * (most.members ?? 1) + 8, 0);
    const compared = Object.values(source.connectionKeys).reduce(
      (sum, { agrees, most = 1_024 }) => sum + (agrees ? most : 0),
      0,
    );
    fc.assert(
      fc.property(metadata, (given) => {
        reset();
        const outcome = outcomeOf(refer(given), world);
        expect(steps()).toBeLessThanOrEqual(mostCharacters + 2 * world.connections.size * compared);
        if (outcome.kind === 'refused') {
          expect(outcome.message.length).toBeLessThan(16_384);
          expect(outcome.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
          return;
        }
        expect(members(outcome.params)).toBeLessThanOrEqual(mostMembers);
        const bytes = Buffer.byteLength(JSON.stringify(outcome.params));
        expect(bytes).toBeLessThanOrEqual(12 * Buffer.byteLength(JSON.stringify(given)) + 4_096);
        expect(outcome.paramsKey.length).toBe(43);
      }),
      { numRuns: 300 },
    );
  });

  it('what is kept is not larger than the input, and means the same', () => {
    fc.assert(
      fc.property(metadata, (given) => {
        const reference = refer(given);
        const less = kept(reference, source);
        expect(bytesOf(less)).toBeLessThanOrEqual(bytesOf(reference) + 2 * Object.keys(given).length);
        const [before, after] = [outcomeOf(reference, world), outcomeOf(less, world)];
        // Messages hide values from the environment. Those of ignored keys are not kept, so messages cannot search for
        // them.
        if (before.kind === 'refused') expect(after.kind).toBe('refused');
        else expect(after).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  it('keys without effect are not kept', () => {
    const ignored = Object.entries(source.connectionKeys)
      .filter(([name, { agrees }]) => !agrees && !Object.hasOwn(source.params.table, name))
      .map(([name]) => name);
    const long = 'x'.repeat(10_000);
    for (const name of [...ignored, ...kedaOwnKeys, 'nobodyKnows']) {
      if (Object.hasOwn(source.params.table, name)) continue;
      expect(kept(refer({ ...good, [name]: long }), source).metadata[name]).toBe('*');
    }
  });
});
