import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const docs = readdirSync(new URL('docs', root), { recursive: true, encoding: 'utf8' });
const pages = ['README.md', 'SECURITY.md', ...docs.map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

/** These two are generated from the code. */
const generated = ['docs/configuration.md', 'docs/triggers.md'].map(read).join('\n');
/** The default of each key. Several keys may have the same name. */
const defaults = new Map<string, Set<string>>();
const rows = generated.matchAll(/^[|-] `([\w.[\]]+): "?([^`]+?)"?`/gm);
const sentences = generated.matchAll(/^The default of `(\w+)` is (\d+)\.$/gm);
for (const [, path = '', value = ''] of [...rows, ...sentences]) {
  const key = path.split('.').at(-1) ?? '';
  defaults.set(key, (defaults.get(key) ?? new Set()).add(value));
}
/** KEDA's own, which no code of ours has. */
const foreign = new Set(['pollingInterval', 'cooldownPeriod']);

describe('defaults: a number in brackets behind a key', () => {
  it('are known', () => {
    expect(defaults.size).toBeGreaterThan(50);
    expect(defaults.get('maxStalenessSeconds')).toEqual(new Set(['60', '3600']));
  });

  it.each(pages)('%s gives them as they are', (page) => {
    const named = [...read(page).matchAll(/`([\w.]+)` \((\d[\d,]*)[ );]/g)].map(
      ([, path = '', value = '']) => ({
        key: path.split('.').at(-1) ?? '',
        value: value.replaceAll(',', ''),
      }),
    );
    const wrong = named.filter(({ key, value }) => !(foreign.has(key) || defaults.get(key)?.has(value)));
    expect(wrong).toEqual([]);
  });
});

describe('metrics', () => {
  const text = read('docs/metrics.md');
  const known = new Set([...text.matchAll(/^(backlog_scaler_\w+)/gm)].map(([, name = '']) => name));

  it.each(pages)('%s names those that there are', (page) => {
    const named = [...read(page).matchAll(/\bbacklog_scaler_\w+/g)].map(([name]) => name);
    const series = named.map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    expect(series.filter((name) => !known.has(name))).toEqual([]);
  });
});
