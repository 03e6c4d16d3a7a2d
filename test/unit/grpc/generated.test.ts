import { execSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const fresh = mkdtempSync(join(tmpdir(), 'generated-'));

afterAll(() => rmSync(fresh, { recursive: true }));

it('src/grpc/generated is what `npm run generate` makes of the proto', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { generate: string };
  };
  const command = scripts.generate.replace('--outDir=src/grpc/generated', `--outDir=${fresh}`);
  execSync(join(root, 'node_modules/.bin', command), { cwd: root });
  expect(filesIn(fresh)).toEqual(filesIn(join(root, 'src/grpc/generated')));
});

function filesIn(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(dir.length), readFileSync(path, 'utf8')]));
}
