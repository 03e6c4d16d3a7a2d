import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const most = 300;

function filesOf(folder: string): string[] {
  const names = readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.(ts|mjs|cjs|go|java)$/.test(name)).map((name) => `${folder}/${name}`);
}

it.each(['src', 'test', 'bench', 'scripts', 'demo'])(
  `no file of %s has more than ${most} lines`,
  (folder) => {
    const written = filesOf(folder).filter((name) => !name.startsWith('src/grpc/generated/'));
    const lines = (name: string) => readFileSync(new URL(name, root), 'utf8').trimEnd().split('\n').length;
    expect(written).not.toEqual([]);
    expect(written.filter((name) => lines(name) > most)).toEqual([]);
  },
);
