import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const { dependencies, files } = JSON.parse(read('package.json'));

/** The imports of the modules of `src`, of types too, with the importing module. */
const imports = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => {
    const specifiers = read(`src/${name}`).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\n]+)'/g);
    return [...specifiers].map(([, specifier = '']) => ({ module: new URL(`src/${name}`, root), specifier }));
  });

it('src imports nothing from outside of src', () => {
  const own = imports.filter(({ specifier }) => specifier.startsWith('.'));
  expect(own.length).toBeGreaterThan(100);
  const inside = new URL('src/', root).href;
  const outside = own.filter(({ module, specifier }) => !new URL(specifier, module).href.startsWith(inside));
  expect(outside.map(({ module, specifier }) => `${fileURLToPath(module)}: ${specifier}`)).toEqual([]);
});

it('src imports no package that only tests, bench and demo have', () => {
  const packages = imports
    .map(({ specifier }) => /^(?![.]|node:)(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0])
    .filter((name) => name !== undefined);
  expect(packages).toContain('@grpc/grpc-js');
  expect(packages.filter((name) => dependencies[name] === undefined)).toEqual([]);
});

it('only the build of src, and the contract, go into the package and the image', () => {
  expect(files).toEqual(['dist', 'proto']);
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  expect(copied).toContain('src');
  const folders = ['fakes', 'demo', 'test', 'bench'];
  expect(folders.filter((folder) => !existsSync(new URL(folder, root)))).toEqual([]);
  const outside = copied.filter((path) => ['.', ...folders].includes(path.split('/')[0] || '.'));
  expect(outside).toEqual([]);
});
