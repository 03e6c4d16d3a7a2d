import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('SECURITY.md', root), 'utf8');

interface Named {
  path: string;
  title: string;
}

/** The tests that a text names, as `path`: *title*. */
function namedIn(text: string): Named[] {
  return [...text.matchAll(/`(test\/[^`]+)`: \*([^*\n]+)\*/g)].map(([, path = '', title = '']) => ({
    path,
    title,
  }));
}

/** Whether a file has a test, a group or a table's row with this title. */
function isThere({ path, title }: Named): boolean {
  const file = new URL(path, root);
  if (!existsSync(file)) return false;
  const source = readFileSync(file, 'utf8');
  return [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => source.includes(quoted));
}

it('names only existing tests', () => {
  const named = namedIn(page);
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((one) => !isThere(one))).toEqual([]);
});

it('names every test in the form that can be checked', () => {
  const mentioned = page.match(/`test\/[^`]+`/g) ?? [];
  expect(mentioned).toHaveLength(namedIn(page).length);
});

it('names a test for every claim', () => {
  const tables = page.split(/\n\n/).filter((block) => /^\|.*\| (held by|seen in) \|\n/.test(block));
  const claims = tables.flatMap((table) => table.split('\n').slice(2)).filter((row) => row !== '');
  expect(claims.length).toBeGreaterThan(30);
  expect(claims.filter((row) => namedIn(row).length === 0)).toEqual([]);
});

it('names every test of a hostile author, sender and pod', () => {
  const named = new Set(namedIn(page).map(({ path }) => path));
  for (const role of ['author', 'sender', 'pod'])
    expect(named).toContain(`test/security/hostile-${role}.test.ts`);
});
