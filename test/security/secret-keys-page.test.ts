import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sources } from '../../src/sources/index.ts';
import { kedaSecretKeys } from '../../src/triggers/common-params.ts';

const page = readFileSync(new URL('../../docs/keda.md', import.meta.url), 'utf8');

/** The keys in the page's table of secrets, in the row that begins with this cell. */
function listed(cell: string): string[] {
  const section = page.slice(page.indexOf('### Secrets from the environment'));
  const row = section.split('\n').find((line) => line.startsWith(`| ${cell} |`)) ?? '';
  return [...row.slice(cell.length + 4).matchAll(/`(\w+)`/g)].map(([, key = '']) => key);
}

it.each(sources.map(({ kind }) => kind))('docs/keda.md lists the secret keys of %s', (kind) => {
  const { connectionKeys = {} } = sources.find((source) => source.kind === kind) ?? {};
  const secret = Object.keys(connectionKeys).filter((key) => connectionKeys[key]?.secret);
  expect(listed(`\`${kind}\``)).toEqual(secret);
});

it("docs/keda.md lists KEDA's own secret keys", () => {
  expect(listed('all')).toEqual(kedaSecretKeys);
});
