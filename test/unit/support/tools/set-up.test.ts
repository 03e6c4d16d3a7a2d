import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Forbidden } from '../../../support/tools/forbidden.ts';
import { toolsNeededBy } from '../../../support/tools/needed.ts';
import { nowDoing } from '../../../support/tools/run.ts';
import { setUpTools } from '../../../support/tools/set-up.ts';
import { ToolMissing } from '../../../support/tools/tool-missing.ts';
import { toolbox } from '../../../support/tools/toolbox.ts';

it('sets tools up one after the other, and continues after one that is unavailable', async () => {
  const said: string[] = [];
  const steps: string[] = [];
  const outcomes = await setUpTools(
    {
      one: async () => {
        steps.push('one begins');
        await new Promise((resolve) => setImmediate(resolve));
        steps.push('one ends');
        return '/cache/one';
      },
      two: async () => {
        steps.push('two begins');
        throw new ToolMissing('Java was not found');
      },
      three: async () => {
        throw new Forbidden('no right to mount');
      },
      four: async () => {
        throw new Error('it does not compile');
      },
    },
    (line) => said.push(line),
  );
  expect(steps).toEqual(['one begins', 'one ends', 'two begins']);
  expect(outcomes).toEqual({
    one: { kind: 'found', tool: '/cache/one' },
    two: { kind: 'missing', reason: 'Java was not found' },
    three: { kind: 'forbidden', reason: 'no right to mount' },
    four: { kind: 'failed', reason: 'it does not compile' },
  });
  expect(said).toEqual([
    'tool two: missing: Java was not found',
    'tool three: forbidden: no right to mount',
    'tool four: failed: it does not compile',
  ]);
});

it('prints every ten seconds what takes time', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const said: string[] = [];
  const slow = async () => {
    nowDoing('fetching the jars');
    await new Promise((resolve) => setTimeout(resolve, 25_000));
  };
  const done = setUpTools({ slow }, (line) => said.push(line));
  await vi.advanceTimersByTimeAsync(25_000);
  await done;
  expect(said).toEqual([
    'tool slow: fetching the jars … 10 s',
    'tool slow: fetching the jars … 20 s',
    'tool slow: ready after 25 s',
  ]);
});

it('knows the tools of a test file, its own and those of its imports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'needed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, lines: string[]) => writeFileSync(join(folder, name), lines.join('\n'));
  // Spelled so that this file itself needs none.
  const asks = (name: string) => ['tool', `('${name}')`].join('');
  const several = ['useTools', "('helm-3', 'helm-4');"].join('');
  write('a.test.ts', [
    'import {',
    '  b,',
    "} from './b.ts';",
    "import type { D } from './d.ts';",
    "import { e } from 'e';",
    several,
  ]);
  write('b.ts', ["import './c.ts';", `export const b = ${asks('moto')};`]);
  write('c.ts', [
    "import './b.ts';",
    "export * from './gone.ts';",
    `x ? ${asks('kafka-stats')} : ${asks('npm')};`,
  ]);
  write('d.ts', [asks('buildah')]);
  const needed = (name: string) => [...toolsNeededBy(join(folder, name))].toSorted();
  expect(needed('a.test.ts')).toEqual(['helm-3', 'helm-4', 'kafka-stats', 'moto', 'npm']);
  expect(needed('d.ts')).toEqual(['buildah']);
});

it('knows every tool that a test needs', () => {
  const asked = [
    'test/sources/kafka/broker.test.ts',
    'test/container/image.test.ts',
    'test/cluster/scale.test.ts',
  ];
  const needed = asked.map((file) => [...toolsNeededBy(join(process.cwd(), file))]);
  expect(needed[0]).toEqual(expect.arrayContaining(['kafka-broker', 'kafka-stats']));
  expect(needed[1]).toEqual(expect.arrayContaining(['buildah', 'npm']));
  expect(needed[2]).toContain('cluster-programs');
  for (const name of needed.flat()) expect(Object.keys(toolbox)).toContain(name);
});
