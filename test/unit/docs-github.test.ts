import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseYaml } from '../../src/config/document.ts';
import { sources } from '../../src/sources/index.ts';
import { loadExample } from '../support/example-config.ts';
import { resolvingIn } from '../support/live-triggers.ts';

const page = readFileSync(new URL('../../docs/github.md', import.meta.url), 'utf8');

/** The page's YAML blocks, without the indent of a list. */
const blocks = [...page.matchAll(/^( *)```yaml\n(.*?)^ *```$/gms)].map(([, indent = '', text = '']) =>
  text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
);
const configs = blocks.filter((text) => text.includes('connections:'));
const triggers = blocks.filter((text) => text.startsWith('triggers:'));
const withTriggers = z.object({
  triggers: z.array(z.object({ metadata: z.record(z.string(), z.string()) })),
});

describe('docs/github.md', () => {
  it('shows a connection and a trigger', () => {
    expect([configs.length, triggers.length]).toEqual([1, 1]);
  });

  it.each(configs)('has a configuration that serve takes: %#', async (text) => {
    const { connections } = await loadExample(text);
    expect(new Set([...connections.values()].map(({ source }) => source.kind))).toEqual(new Set(['github']));
  });

  it.each(triggers)('has a trigger that the scaler takes: %#', async (text) => {
    const { connections } = await loadExample(configs[0] ?? '');
    const resolve = resolvingIn(sources, connections);
    const parsed = parseYaml(text);
    for (const { metadata } of withTriggers.parse('value' in parsed ? parsed.value : undefined).triggers)
      expect(resolve({ namespace: 'ci', name: 'runners', metadata }).source.kind).toBe('github');
  });

  it('links to manifests and pages that are there', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links)
      expect(() => readFileSync(new URL(`../../docs/${link}`, import.meta.url))).not.toThrow();
  });

  it('quotes messages as they are', () => {
    const folder = new URL('../../src/', import.meta.url);
    const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const cells = [...page.matchAll(/^\| (\*[^|]+\*) \|/gm)].map(([, cell = '']) => cell);
    const quoted = cells.flatMap((cell) => [...cell.matchAll(/\*([^*]+)\*/g)].map(([, text = '']) => text));
    expect(quoted.length).toBeGreaterThan(3);
    expect(quoted.filter((text) => !code.includes(text))).toEqual([]);
  });

  it('makes the Secret that the examples and its own YAML read, with their keys', () => {
    const folder = new URL('../../deploy/examples/github/', import.meta.url);
    const examples = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'));
    const read = [...examples, ...blocks].flatMap((text) => {
      const names = [...text.matchAll(/secretKeyRef:\s*\{?\s*name: ([\w-]+),?\s*key: ([\w-]+)/g)];
      return names.map(([, name, key]) => `${name}/${key}`);
    });
    const made = [...page.replaceAll('\\\n', '').matchAll(/create secret generic (\S+) (.*)/g)].flatMap(
      ([, name, options = '']) =>
        [...options.matchAll(/--from-(?:file|literal)=([\w.-]+)/g)].map(([, key]) => `${name}/${key}`),
    );
    expect(new Set(read)).toEqual(
      new Set(['token', 'app-id', 'app-private-key'].map((key) => `runner-registration/${key}`)),
    );
    for (const one of read) expect(made).toContain(one);
  });
});
