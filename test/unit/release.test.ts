import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const gate = fileURLToPath(new URL('../../scripts/version-gate.mjs', import.meta.url));

const changelog = (...sections: string[]): string =>
  `# Changelog\n\nSome words.\n\n${sections.join('\n\n')}\n`;
const released = changelog('## 1.2.3 - 2026-11-22\n\n### Added\n\n- A thing.', '## 1.2.2\n\n- Older.');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'backlog-scaler-release-'));
  mkdirSync(join(root, 'deploy/helm/backlog-scaler'), { recursive: true });
  mkdirSync(join(root, 'deploy/artifacthub'));
});
afterEach(() => rmSync(root, { recursive: true }));

interface Release {
  packageVersion?: string;
  chart?: string;
  listed?: string;
  log?: string;
}

const sameChart = 'version: 1.2.3\nappVersion: "1.2.3"\n';

function run(
  tag: string | undefined,
  release: Release = {},
): { status: number | null; out: string; err: string } {
  const { packageVersion = '1.2.3', chart = sameChart, listed = '1.2.3', log = released } = release;
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version: packageVersion }));
  writeFileSync(join(root, 'deploy/helm/backlog-scaler/Chart.yaml'), chart);
  writeFileSync(join(root, 'deploy/artifacthub/artifacthub-pkg.yml'), `version: ${listed}\n`);
  writeFileSync(join(root, 'CHANGELOG.md'), log);
  const args = [gate, '--root', root, ...(tag === undefined ? [] : [tag])];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

describe('the version gate', () => {
  it('accepts a release and prints its part of the changelog', () => {
    expect(run('v1.2.3')).toEqual({ status: 0, out: '### Added\n\n- A thing.\n', err: '' });
  });

  it('takes a heading in brackets, and an Unreleased that is empty', () => {
    const log = changelog('## [Unreleased]', '## [1.2.3] - 2026-11-22\n\n- A thing.');
    expect(run('v1.2.3', { log })).toMatchObject({ status: 0, out: '- A thing.\n' });
  });

  it.each<[string, string | undefined, Release, string]>([
    ['another tag', 'v1.2.4', {}, 'the tag is v1.2.4; with package.json it would be v1.2.3'],
    ['a tag without v', '1.2.3', {}, 'the tag is 1.2.3; with package.json it would be v1.2.3'],
    [
      'another package',
      'v1.2.3',
      { packageVersion: '1.2.4' },
      'the tag is v1.2.3; with package.json it would be v1.2.4',
    ],
    ['another chart', 'v1.2.3', { chart: 'version: 1.2.2\nappVersion: 1.2.3' }, 'has the version 1.2.2'],
    ['another app', 'v1.2.3', { chart: 'version: 1.2.3\nappVersion: 1.2.2' }, 'has the appVersion 1.2.2'],
    ['a chart without app', undefined, { chart: 'version: 1.2.3' }, 'has the appVersion missing'],
    ['another listing', undefined, { listed: '1.2.2' }, 'artifacthub-pkg.yml has the version 1.2.2'],
    ['no entry', 'v1.2.3', { log: changelog('## Unreleased') }, 'CHANGELOG.md is missing'],
    [
      'an old entry on top',
      'v1.2.3',
      { log: changelog('## 1.2.2\n\n- Older.', '## 1.2.3\n\n- A thing.') },
      'CHANGELOG.md is 1.2.2',
    ],
    [
      'changes left behind',
      'v1.2.3',
      { log: changelog('## Unreleased\n\n- More.', '## 1.2.3\n\n- A thing.') },
      'under "Unreleased"',
    ],
    [
      'an entry that says nothing',
      'v1.2.3',
      { log: changelog('## 1.2.3', '## 1.2.2\n\n- Older.') },
      'says nothing under 1.2.3',
    ],
  ])('refuses %s', (_what, tag, release, message) => {
    const { status, out, err } = run(tag, release);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain(message);
  });

  it('between releases compares the package and the chart alone', () => {
    expect(run(undefined, { log: changelog('## Unreleased\n\n- More.') })).toEqual({
      status: 0,
      out: '',
      err: '',
    });
  });

  it('holds for this repository', () => {
    const { status, stderr } = spawnSync(process.execPath, [gate], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('the listing on Artifact Hub', () => {
  it('has everything that a package of kind keda-scaler needs', () => {
    const text = readFileSync(
      new URL('../../deploy/artifacthub/artifacthub-pkg.yml', import.meta.url),
      'utf8',
    );
    expect(parse(text)).toMatchObject({
      name: 'backlog-scaler',
      displayName: expect.any(String),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      description: expect.any(String),
      license: 'Apache-2.0',
    });
  });
});
