import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { oldestNode, tooOld } from '../../src/node-version.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('needs the Node that package.json asks for', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(engines.node).toBe(`>=${oldestNode}`);
});

describe('Node', () => {
  it.each(['22.18.0', '22.19.0', '23.0.0', '24.14.1', '100.0.0'])('%s is new enough', (version) => {
    expect(tooOld(version)).toBeUndefined();
  });

  it.each(['18.20.8', '20.20.2', '22.9.0', '22.17.1'])('%s is too old', (version) => {
    expect(tooOld(version)).toBe(`backlog-scaler needs Node 22.18 or later, and this is Node ${version}`);
  });

  // Of the machine, where there is one: npm's scripts run on the Node that npm ci installs.
  const systems = '/usr/bin/node';
  const [, version = ''] = /^v(.*)\n$/.exec(spawnSync(systems, ['--version']).stdout?.toString() ?? '') ?? [];
  const isOld = version !== '' && tooOld(version) !== undefined;
  it.runIf(isOld)('that is too old ends every command with one line', () => {
    const dist = mkdtempSync(join(tmpdir(), 'backlog-scaler-dist-'));
    writeFileSync(join(dist, 'package.json'), '{ "type": "module" }');
    // Nothing else is there: a module that is imported before the check would be missed.
    for (const name of ['main', 'node-version']) {
      const source = stripTypeScriptTypes(readFileSync(join(root, `src/${name}.ts`), 'utf8'));
      writeFileSync(join(dist, `${name}.js`), source.replaceAll(/from '(\.\/[\w-]+)\.ts'/g, "from '$1.js'"));
    }
    try {
      for (const args of [
        [],
        ['--help'],
        ['serve', '--config', 'x'],
        ['validate'],
        ['convert'],
        ['explain'],
      ]) {
        const { status, stdout, stderr } = spawnSync(systems, [join(dist, 'main.js'), ...args]);
        expect([status, `${stdout}`, `${stderr}`]).toEqual([1, '', `${tooOld(version)}\n`]);
      }
    } finally {
      rmSync(dist, { recursive: true });
    }
  });
});
