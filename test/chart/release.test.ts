import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { useTools } from '../support/tools/use-tool.ts';
import { at, chart, kubeVersion, manifest, parseManifests, run } from './helm.ts';

const script = fileURLToPath(new URL('../../scripts/release-chart.mjs', import.meta.url));
const changelog = `# Changelog

## 0.1.0 - 2026-11-22

### Added

- A thing: with a colon,
  and a second line.

### Fixed

- Another thing.
`;

/** The chart as a release packs it. */
function released(): string {
  const root = mkdtempSync(join(tmpdir(), 'backlog-scaler-release-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const copy = join(root, 'deploy/helm/backlog-scaler');
  cpSync(chart, copy, { recursive: true });
  writeFileSync(join(root, 'CHANGELOG.md'), changelog);
  const args = [
    '--root',
    root,
    '--image',
    'images.test/acme/scaler',
    '--source',
    'https://code.test/acme/scaler',
  ];
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return copy;
}

describe('the chart of a release', () => {
  const tool = useTools('helm-3');

  it('installs the image of the release without a value', () => {
    const rendered = run(tool('helm-3'), ['template', 'wakes', released(), ...kubeVersion]);
    expect(rendered.ok, rendered.output).toBe(true);
    const deployment = manifest(parseManifests(rendered.output), 'Deployment');
    expect(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image')).toBe(
      'images.test/acme/scaler:0.1.0',
    );
  });

  it('links the runbooks of this release', () => {
    const args = ['template', 'wakes', released(), ...kubeVersion, '--set', 'prometheusRule.enabled=true'];
    const rule = manifest(parseManifests(run(tool('helm-3'), args).output), 'PrometheusRule');
    expect(at(rule, 'spec', 'groups', 0, 'rules', 0, 'annotations', 'runbook_url')).toMatch(
      /^https:\/\/code\.test\/acme\/scaler\/blob\/v0\.1\.0\/docs\/runbooks\/\w+\.md$/,
    );
  });

  it('has the same values except for the image and the runbooks', () => {
    const values = (folder: string): Record<string, unknown> =>
      parse(readFileSync(join(folder, 'values.yaml'), 'utf8'));
    const { image, prometheusRule, ...others } = values(released());
    const { image: before, prometheusRule: ruleBefore, ...othersBefore } = values(chart);
    expect(others).toEqual(othersBefore);
    expect(prometheusRule).toEqual({ ...Object(ruleBefore), runbooks: expect.any(String) });
    expect(image).toEqual({ ...Object(before), registry: 'images.test', repository: 'acme/scaler' });
  });

  it('names for Artifact Hub its image, its source and its changes', () => {
    const description: unknown = parse(readFileSync(join(released(), 'Chart.yaml'), 'utf8'));
    expect(description).toMatchObject({
      name: 'backlog-scaler',
      home: 'https://code.test/acme/scaler',
      sources: ['https://code.test/acme/scaler'],
    });
    const annotation = (name: string): unknown =>
      parse(String(at(description, 'annotations', `artifacthub.io/${name}`)));
    expect(annotation('images')).toEqual([
      { name: 'backlog-scaler', image: 'images.test/acme/scaler:0.1.0' },
    ]);
    expect(annotation('changes')).toEqual([
      { kind: 'added', description: 'A thing: with a colon, and a second line.' },
      { kind: 'fixed', description: 'Another thing.' },
    ]);
    expect(annotation('license')).toBe('Apache-2.0');
  });

  it.each([[['--source', 'https://code.test']], [['--image', 'scaler', '--source', 'https://code.test']]])(
    'needs an image with its registry: %j',
    (args) => {
      const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
      expect(status).toBe(1);
      expect(stderr).toContain('--image REGISTRY/REPOSITORY');
    },
  );
});
