import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { parseYaml } from '../../src/config/document.ts';
import { sources } from '../../src/sources/index.ts';
import { chartConfig, mountsNamed, parseChartValues } from '../support/chart-values.ts';
import { loadExample } from '../support/example-config.ts';
import { resolvingIn } from '../support/live-triggers.ts';

const root = new URL('../../', import.meta.url);

/** The subject of each page, and the code of the messages that it quotes. */
const pages = [
  { page: 'kafka', kinds: ['kafka'], code: ['src/sources/kafka', 'src/outbound'] },
  { page: 'sqs', kinds: ['sqs'], code: ['src/sources/sqs', 'src/outbound'] },
  { page: 'nats', kinds: ['nats'], code: ['src/sources/nats', 'src/outbound'] },
  { page: 'events', kinds: ['events'], code: ['src/sources/events', 'src/event-log'] },
  { page: 'ingest', kinds: ['sqs', 'events'], code: ['src/ingest'] },
];

const withTriggers = z.object({
  triggers: z.array(z.object({ metadata: z.record(z.string(), z.string()) })),
});

describe.each(pages)('docs/$page.md', ({ page, kinds, code }) => {
  const text = readFileSync(new URL(`docs/${page}.md`, root), 'utf8');
  /** Without the indent of blocks inside a list. */
  const blocks = [...text.matchAll(/^( *)```(\w+)\n(.*?)^ *```$/gms)].map(
    ([, indent = '', language, block = '']) => ({
      language,
      block: block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
  const yaml = blocks.filter(({ language }) => language === 'yaml').map(({ block }) => block);
  const values = yaml.filter((block) => block.startsWith('config:')).map(parseChartValues);
  const configs = [
    ...yaml.filter((block) => block.includes('connections:\n') && !block.startsWith('config:')),
    ...values.map(chartConfig),
  ];
  const triggers = yaml.filter((block) => block.startsWith('triggers:'));
  /** What takes the place of keys of the first connection. */
  const parts = yaml.filter((block) =>
    /^(?:bootstrapServers|credentials|idleReadSeconds|servers|tls):/.test(block),
  );

  it.each(configs)('has a configuration that serve takes: %#', async (block) => {
    const { connections } = await loadExample(block);
    expect(connections.size).toBeGreaterThan(0);
    for (const { source } of connections.values()) expect(kinds).toContain(source.kind);
  });

  it.each(values)('has values that mount exactly the Secrets that they name: %#', (value) => {
    expect((value.secretMounts ?? []).map(({ name }) => name)).toEqual(mountsNamed(value));
  });

  it.each(parts)('has a part of a connection that serve takes: %#', async (block) => {
    const part = z.looseObject({});
    const whole = z.looseObject({ connections: z.record(z.string(), part) });
    const [first] = Object.values(whole.parse(parse(configs[0] ?? '')).connections);
    const merged = { ...first, ...part.parse(parse(block)) };
    const loaded = await loadExample(stringify({ connections: { first: merged } }));
    expect(loaded.connections.size).toBe(1);
  });

  it.each(triggers)('has a trigger that the scaler takes: %#', async (block) => {
    const { connections } = await loadExample(configs[0] ?? '');
    const resolve = resolvingIn(sources, connections);
    const parsed = parseYaml(block);
    const found = withTriggers.parse('value' in parsed ? parsed.value : undefined).triggers;
    const [namespace = ''] = [...connections.values()][0]?.namespaces ?? [];
    for (const { metadata } of found)
      expect(kinds).toContain(resolve({ namespace, name: 'workers', metadata }).source.kind);
  });

  it('makes the Secrets whose files its first configuration names', () => {
    const named = [...(configs[0] ?? '').matchAll(/\/etc\/(backlog-scaler-[\w-]+)\/([\w.-]+)/g)];
    const made = [...text.replaceAll('\\\n', '').matchAll(/create secret generic (\S+) (.*)/g)].flatMap(
      ([, name, options = '']) =>
        [...options.matchAll(/--from-(?:file|literal)=([\w.-]+)/g)].map(([, file]) => `${name}/${file}`),
    );
    for (const [, name, file] of named) expect(made).toContain(`${name}/${file}`);
  });

  it('has JSON that is JSON', () => {
    for (const { language, block } of blocks)
      if (language === 'json') expect(() => JSON.parse(block)).not.toThrow();
  });

  it('quotes messages as they are', () => {
    const prose = text.replaceAll(/^ *```.*?^ *```$/gms, '');
    const quoted = [...prose.matchAll(/(?<![*\w])\*([^*\n]{12,})\*(?!\*)/g)].map(([, quote = '']) => quote);
    expect(quoted.length).toBeGreaterThan(2);
    const said = code.map(textOf).join('\n');
    expect(quoted.filter((quote) => !said.includes(quote))).toEqual([]);
  });
});

/** All code of a folder. */
function textOf(folder: string): string {
  const files = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, root), 'utf8'))
    .join('\n');
}
