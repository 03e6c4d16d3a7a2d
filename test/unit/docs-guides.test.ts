import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { picture } from '../../demo/stories/surge/picture.ts';
import { builtIns } from '../../src/scaledobjects/convert.ts';
import { hpaDefaults, sync } from '../../src/scaling/hpa.ts';
import { jobsToCreate, scaledJobDefaults } from '../../src/scaling/scaled-job.ts';
import { mostNudgesAMinute } from '../../src/scaling/surge.ts';
import { sources } from '../../src/sources/index.ts';
import type { ConfiguredConnection } from '../../src/sources/source.ts';
import { chartConfig, parseChartValues, readChartValues } from '../support/chart-values.ts';
import { loadExample } from '../support/example-config.ts';
import { resolvingIn } from '../support/live-triggers.ts';

const root = new URL('../../', import.meta.url);
const guides = [
  'README.md',
  'docs/operations.md',
  'docs/scaledjobs.md',
  'docs/scaling.md',
  'docs/troubleshooting.md',
];

const trigger = z.strictObject({
  type: z.string(),
  metadata: z.record(z.string(), z.string()),
  authenticationRef: z.object({ name: z.string() }).optional(),
});
const scaled = z.looseObject({
  kind: z.enum(['ScaledObject', 'ScaledJob']),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({ triggers: z.array(trigger).min(1) }),
});
const snippet = z.strictObject({ triggers: z.array(trigger).min(1) });
const config = z.looseObject({ connections: z.record(z.string(), z.unknown()) });
const helmValues = z.looseObject({ config: z.record(z.string(), z.unknown()) });
/** How KEDA calls by TLS, and the lines of a trigger that say so. */
const authentication = z.strictObject({
  apiVersion: z.literal('keda.sh/v1alpha1'),
  kind: z.literal('ClusterTriggerAuthentication'),
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject({
    secretTargetRef: z.array(z.strictObject({ parameter: z.string(), name: z.string(), key: z.string() })),
  }),
});
const reference = z.strictObject({
  authenticationRef: z.strictObject({ name: z.string(), kind: z.literal('ClusterTriggerAuthentication') }),
});
/** Values of the chart that its `config` is not among. */
const tlsValues = z.strictObject({
  tls: z.record(z.string(), z.unknown()),
  helmTest: z.record(z.string(), z.unknown()),
});
type Scaled = z.infer<typeof scaled>;

interface Guide {
  readonly text: string;
  readonly scaled: readonly Scaled[];
  readonly configs: readonly string[];
  readonly values: readonly z.infer<typeof helmValues>[];
  readonly tls: readonly z.infer<typeof tlsValues>[];
  readonly authentications: readonly z.infer<typeof authentication>[];
  readonly references: readonly z.infer<typeof reference>[];
  /** What is neither: it would be shown to people and read by no test. */
  readonly unread: readonly string[];
}

/** Also those of lists, which are indented. */
function fenced(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms'));
  return [...blocks].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** The text of a diff before (`-`) or after (`+`). */
function side(diff: string, sign: '-' | '+'): string {
  const lines = diff.split('\n').filter((line) => line.startsWith(' ') || line.startsWith(sign));
  return lines.map((line) => line.slice(1)).join('\n');
}

function documentsOf(block: string): unknown[] {
  return parseAllDocuments(block).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

/** A bare list of triggers is that of a workload in `shop`. */
function scaledOf(document: unknown): Scaled | undefined {
  const whole = scaled.safeParse(document);
  if (whole.success) return whole.data;
  const { data } = snippet.safeParse(document);
  return data && { kind: 'ScaledObject', metadata: { name: 'workers', namespace: 'shop' }, spec: data };
}

function readGuide(page: string): Guide {
  const text = readFileSync(new URL(page, root), 'utf8');
  const blocks = [...fenced(text, 'yaml'), ...fenced(text, 'diff').map((diff) => side(diff, '+'))];
  const documents = blocks.flatMap(documentsOf);
  const values = documents.flatMap((document) => helmValues.safeParse(document).data ?? []);
  const configs = documents.filter((document) => config.safeParse(document).success);
  return {
    text,
    scaled: documents.flatMap((document) => scaledOf(document) ?? []),
    configs: [
      ...configs.map((document) => stringify(document)),
      ...values.map((value) => chartConfig(parseChartValues(stringify(value)))),
    ],
    values,
    tls: documents.flatMap((document) => tlsValues.safeParse(document).data ?? []),
    authentications: documents.flatMap((document) => authentication.safeParse(document).data ?? []),
    references: documents.flatMap((document) => reference.safeParse(document).data ?? []),
    unread: documents
      .filter((one) => !scaledOf(one))
      .filter((one) =>
        [config, helmValues, tlsValues, authentication, reference].every(
          (schema) => !schema.safeParse(one).success,
        ),
      )
      .map((one) => stringify(one)),
  };
}

const exampleValues = sources.map(({ kind }) => readChartValues(`deploy/examples/${kind}/values.yaml`));

/** The connections of the guides' own configurations; those of the examples and the README where a page has none. */
async function connectionsOf({ configs }: Guide): Promise<Map<string, ConfiguredConnection>> {
  const shared = () => [...exampleValues.map(chartConfig), ...readGuide('README.md').configs];
  const texts = configs.length > 0 ? configs : shared();
  const loaded = await Promise.all(texts.map((text) => loadExample(text)));
  return new Map(loaded.flatMap(({ connections }) => [...connections]));
}

describe.each(guides)('%s', (page) => {
  const guide = readGuide(page);
  let connections: Map<string, ConfiguredConnection>;

  beforeAll(async () => {
    connections = await connectionsOf(guide);
  });

  it('has no YAML that no test reads, and configurations that serve takes', () => {
    expect(guide.unread).toEqual([]);
    expect(connections.size).toBeGreaterThan(0);
  });

  it.each(guide.scaled)('$kind $metadata.name: the scaler takes its triggers', ({ kind, metadata, spec }) => {
    const resolve = resolvingIn(sources, connections);
    for (const { type, metadata: keys } of spec.triggers) {
      expect(resolve({ ...metadata, metadata: keys }).source.kind).toBe(keys['source']);
      if (kind === 'ScaledJob') expect(type).toBe('external');
    }
  });
});

describe('docs/migrate.md', () => {
  const { text } = readGuide('docs/migrate.md');
  const diffs = fenced(text, 'diff').map((diff) => ({
    before: scaled.parse(documentsOf(side(diff, '-'))[0]),
    after: scaled.parse(documentsOf(side(diff, '+'))[0]),
  }));

  it('has the parameters of every built-in scaler that there is a source for', () => {
    const heads = [...text.matchAll(/^\| (.+) \| key of the connection \|$/gm)].map(([, head = '']) => head);
    const types = heads.flatMap((head) => [...head.matchAll(/`([\w-]+)`/g)].map(([, type = '']) => type));
    expect(types.toSorted()).toEqual(Object.keys(builtIns).toSorted());
  });

  it('shows a trigger before and after', () => {
    expect(diffs.map(({ before }) => before.spec.triggers[0]?.type)).toEqual(['apache-kafka']);
  });

  it.each(diffs)(
    '$before.metadata.name: no key changes, some come, authenticationRef goes',
    ({ before, after }) => {
      const [from, to] = [before.spec.triggers[0], after.spec.triggers[0]];
      expect(from?.authenticationRef).toBeDefined();
      expect(to?.authenticationRef).toBeUndefined();
      const { scalerAddress, source } = to?.metadata ?? {};
      expect(to?.metadata).toEqual({ scalerAddress, source, ...from?.metadata });
    },
  );
});

describe('docs/scaledjobs.md', () => {
  const row = /^\| `(default|accurate|eager)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|/gm;
  const rows = [...readGuide('docs/scaledjobs.md').text.matchAll(row)];

  it('has rows for every strategy', () => {
    expect(new Set(rows.map(([, kind]) => kind)).size).toBe(3);
  });

  it.each(rows.map(([line, kind, ...numbers]) => ({ line, kind, numbers: numbers.map(Number) })))(
    '$line',
    ({ kind, numbers: [value = 0, running = 0, pending = 0, creates] }) => {
      const strategy = z.object({ kind: z.enum(['default', 'accurate', 'eager']) }).parse({ kind });
      const poll = { isActive: true, value, target: 1, running, pending };
      expect(jobsToCreate({ ...scaledJobDefaults, maxReplicaCount: 50, strategy }, poll)).toBe(creates);
    },
  );
});

/** Replicas over time, in the words of the drawing: `20 after 0.3 s`. */
function stepsOf(title: string): { afterMs: number; replicas: number; by: 'push' }[] {
  return [...title.matchAll(/(\d+) after ([\d.]+) (ms|s)/g)].map(([, replicas, time, unit]) => ({
    replicas: Number(replicas),
    afterMs: Number(time) * (unit === 's' ? 1000 : 1),
    by: 'push',
  }));
}

describe('README.md', () => {
  it('says of every figure by which command of this repository it is measured', () => {
    const { text } = readGuide('README.md');
    const why = /^## Why$(.*?)^\*\*/ms.exec(text)?.[1] ?? '';
    const rows = [...why.matchAll(/^\| (?!\|)(.+) \| (.*) \|$/gm)].filter(([line]) => /\d/.test(line));
    const { scripts } = z
      .looseObject({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')));
    expect(rows.length).toBeGreaterThan(5);
    for (const [line, , command = ''] of rows) {
      const [, script = ''] = /^`npm run ([\w:]+)/.exec(command) ?? [];
      expect(command === 'the same' || script in scripts, line).toBe(true);
    }
  });

  /** Without the drawing. */
  const decided = readGuide('README.md')
    .text.split('## See it work')[0]
    ?.replaceAll(/^```text\n.*?^```$|<!--.*?-->/gms, '');

  it('lets its readers decide in three minutes: 550 words', () => {
    const words = decided?.split(/\s+/).filter((word) => /[A-Za-z0-9]/.test(word)) ?? [];
    expect(words.length).toBeGreaterThan(300);
    expect(words.length).toBeLessThanOrEqual(550);
  });

  it('says in the sentence of its first figure which versions that needs, as the drawing does', () => {
    const [intro = ''] = decided?.split('## Why') ?? [];
    const sentence = intro.split(/(?<=\.)\s+/).find((one) => /\b0\.2 s\b/.test(one));
    expect(sentence).toContain('Kubernetes 1.37');
    expect(sentence).toContain('KEDA 2.21');
    expect(intro).toContain('on those versions');
  });

  it('has the figures of docs/scaling.md: from the least to the most', () => {
    const figure = /^\|[^|]+<!-- FIGURE ([\w -]+, [\w ]+) --> \|(.+)\|$/gm;
    const cells = (page: string) =>
      [...readGuide(page).text.matchAll(figure)].map(([, name = '', row = '']) => {
        return [name, row.split('|').map((cell) => cell.replaceAll(/[*¹]/g, '').trim())] as const;
      });
    const measured = new Map(cells('docs/scaling.md'));
    const range = (cell = '') => cell.replace(/^(\S+) \/ \S+ \/ (\S+)$/, '$1 to $2 s');
    const shown = cells('README.md');
    expect(shown).toHaveLength(3);
    for (const [name, [keda, here, older]] of shown) {
      const [theirs, clock, ours] = measured.get(name) ?? [];
      expect([keda, here, older], name).toEqual([range(theirs), range(ours), range(clock)]);
    }
  });

  it('names the guide and the files of every source', () => {
    const { text } = readGuide('README.md');
    for (const { kind } of sources) {
      const row = text.split('\n').find((line) => line.startsWith(`| [\`${kind}\`](docs/${kind}.md) |`));
      expect(row).toContain(`](deploy/examples/${kind})`);
    }
  });

  it('measures both sides of every time to the same end', () => {
    const { text } = readGuide('README.md');
    const times = text.split('\n').filter((line) => /^\|.*\| [\d.]+ to [\d.]+ s \|/.test(line));
    expect(times).toHaveLength(4);
    for (const line of times) expect(line).toMatch(/→ \d+ replicas?\b/);
  });

  it('draws replicas over time as the demo does', () => {
    const drawn = fenced(readGuide('README.md').text, 'text')[0]?.trimEnd().split('\n') ?? [];
    const axis = drawn.findLast((line) => line.includes('└')) ?? '';
    const runs = drawn.flatMap((line) => {
      const [, name] = /^(\S.*?): \d+ after/.exec(line) ?? [];
      const rest = { targets: [], replicas: 0, failedAnswers: 0 };
      return name === undefined ? [] : { name, steps: stepsOf(line), ...rest };
    });
    expect(runs).toHaveLength(2);
    const seconds = axis.length - axis.indexOf('└') - 1;
    expect(drawn).toEqual(picture(runs, { most: 20, seconds, markEverySeconds: 15 }));
  });
});

describe('docs/scaling.md', () => {
  const { text } = readGuide('docs/scaling.md');
  const rows = [...text.matchAll(/^ *\| (\d+) \| ([\d, ]+) \| (\d+) \|$/gm)];

  it('has rows for little and for much', () => {
    expect(rows.map(([, to]) => Number(to))).toEqual([4, 8, 20, 100, 1000]);
  });

  it.each(rows.map(([line, to, way = '', looks]) => ({ line, to: Number(to), way, looks: Number(looks) })))(
    '$line',
    ({ to, way, looks }) => {
      const metrics = [{ type: 'AverageValue', value: to, target: 1 } as const];
      const spec = { ...hpaDefaults, metrics, maxReplicaCount: to };
      const reached = [1];
      while ((reached.at(-1) ?? to) < to) {
        const state = { replicas: reached.at(-1) ?? 0, recommendations: [] };
        reached.push(sync(spec, state, 0).replicas);
      }
      expect(way).toBe(reached.slice(1).join(', '));
      expect(looks).toBe(reached.length - 1);
      expect(looks).toBeLessThanOrEqual(mostNudgesAMinute);
    },
  );
});

describe('messages', () => {
  const code = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(`src/${name}`, root), 'utf8'))
    .join('\n');
  /** KEDA's and gRPC's own, which are not in our code. */
  const foreign = [
    'connection refused',
    'no such host',
    'context deadline exceeded',
    'no metric specs returned from scalers',
    'client-side throttling',
  ];

  it.each(guides)('%s quotes them as they are', (page) => {
    const { text } = readGuide(page);
    const quoted = [...text.matchAll(/(?<![*\w])\*([^*\n]+)\*(?!\*)/g)].map(([, quote = '']) => quote);
    expect(quoted.filter((quote) => !foreign.includes(quote) && !code.includes(quote))).toEqual([]);
  });

  it('troubleshooting.md quotes many', () => {
    const quoted = readGuide('docs/troubleshooting.md').text.match(/(?<![*\w])\*[^*\n]{10,}\*(?!\*)/g);
    expect(quoted?.length).toBeGreaterThan(15);
  });
});

describe('figures', () => {
  const rows = readdirSync(new URL('bench/rows', root))
    .map((name) => readFileSync(new URL(`bench/rows/${name}`, root), 'utf8'))
    .join('\n');
  /** `kafka-1` and `kafka-3` are one row of the code. */
  const isRow = (name: string) => rows.includes(`name: '${name}'`) || /^kafka-[13]$/.test(name);

  it('come from rows that the bench has', () => {
    const text = guides.map((page) => readGuide(page).text).join('\n');
    const commands = [...text.matchAll(/--\s+--only ([\w-]+)/g)].map(([, name = '']) => name);
    const capacity = /^## Capacity$.*?^### /ms.exec(readGuide('docs/operations.md').text)?.[0] ?? '';
    const last = [...capacity.matchAll(/\| ([^|]+) \|$/gm)].slice(2).map(([, cell = '']) => cell);
    const named = last.flatMap((cell) => [...cell.matchAll(/`([a-z][\w-]*)[^`]*`/g)]);
    expect(commands.length).toBeGreaterThan(1);
    expect(named.length).toBeGreaterThanOrEqual(last.length);
    expect([...commands, ...named.map(([, name = '']) => name)].filter((name) => !isRow(name))).toEqual([]);
  });

  it('are all given: no page says to measure it oneself instead', () => {
    for (const page of guides) expect(readGuide(page).text).not.toContain('| run it |');
  });
});

describe('the chart', () => {
  const file = new URL('deploy/helm/backlog-scaler/values.yaml', root);
  /** What a user fills in as it comes. */
  const free = new Set(['config', 'annotations']);

  function unknown(given: object, known: object, at: string): string[] {
    return Object.entries(given).flatMap(([key, value]) => {
      const found = Object.entries(known).find(([name]) => name === key);
      if (!found) return [`${at}${key}`];
      const deeper = !free.has(key) && value instanceof Object && !Array.isArray(value);
      return deeper ? unknown(value, z.record(z.string(), z.unknown()).parse(found[1]), `${at}${key}.`) : [];
    });
  }

  const known = z.record(z.string(), z.unknown()).parse(parse(readFileSync(file, 'utf8')));

  it('has every value that the README, docs/operations.md and the examples set', () => {
    const { values } = readGuide('README.md');
    const { tls } = readGuide('docs/operations.md');
    expect([values, tls]).toMatchObject([{ length: 1 }, { length: 1 }]);
    for (const value of [...values, ...tls, ...exampleValues]) expect(unknown(value, known, '')).toEqual([]);
  });

  /** Not those of `config` that are called the same. */
  const own = [
    'image|keda|networkPolicy|prometheusRule|serviceMonitor|dashboard|persistence|serviceAccount|resources',
    'tls\\.certManager|ingest(?=\\.(?:enabled|ingress|httpRoute))',
  ].join('|');
  const whole =
    'secretMounts|extraEnv|extraVolumes|extraVolumeMounts|nodeOptions|replicaCount|imagePullSecrets';
  const named = new RegExp(
    `\`((?:${own})\\.[\\w.]+|${whole}|tls\\.(?:enabled|existingSecret|clientCaSecret))(?=[\`:])`,
    'g',
  );
  const pages = [
    ...guides,
    ...['events', 'github', 'ingest', 'sqs', 'tracing'].map((name) => `docs/${name}.md`),
  ];

  it('has every value that the pages name', () => {
    const paths = pages.flatMap((page) =>
      [...readFileSync(new URL(page, root), 'utf8').matchAll(named)].map(([, path = '']) => path),
    );
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) {
      const given = path.split('.').reduceRight<unknown>((value, key) => ({ [key]: value }), null);
      expect(unknown(z.object({}).loose().parse(given), known, '')).toEqual([]);
    }
  });
});

it('docs/operations.md has the TriggerAuthentication of the chart, and the trigger names it', () => {
  const { authentications, references } = readGuide('docs/operations.md');
  const template = readFileSync(new URL('deploy/helm/backlog-scaler/templates/_tls.tpl', root), 'utf8');
  const inChart = [...template.matchAll(/parameter: (\w+), name: \{\{ \$secret \}\}, key: ([\w.]+)/g)];
  const wanted = inChart.map(([, parameter, key]) => ({ parameter, name: 'backlog-scaler-client-tls', key }));
  expect(wanted.length).toBe(3);
  expect(authentications.map(({ spec }) => spec.secretTargetRef)).toEqual([wanted]);
  expect(references.map(({ authenticationRef }) => authenticationRef.name)).toEqual(
    authentications.map(({ metadata }) => metadata.name),
  );
});
