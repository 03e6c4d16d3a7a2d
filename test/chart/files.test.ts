import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { useTools } from '../support/tools/use-tool.ts';
import { at, chart, run } from './helm.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

function folder(path: string): Record<string, string> {
  const files = readdirSync(path, { withFileTypes: true }).filter((one) => one.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(path, name), 'utf8')]));
}

describe("the chart's files", () => {
  const tool = useTools('helm-docs');

  it('has the alerts of deploy/alerts: copy them to files/alerts', () => {
    const alerts = folder(join(deploy, 'alerts'));
    const rules = Object.entries(alerts).filter(([name]) => name.endsWith('.yaml'));
    expect(folder(join(chart, 'files/alerts'))).toEqual(Object.fromEntries(rules));
  });

  it('has the dashboard of deploy/grafana: copy it to files/dashboard.json', () => {
    const [dashboard, ...more] = Object.values(folder(join(deploy, 'grafana')));
    expect(more).toEqual([]);
    expect(readFileSync(join(chart, 'files/dashboard.json'), 'utf8')).toBe(dashboard);
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const description: unknown = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'));
    expect([at(description, 'version'), at(description, 'appVersion')]).toEqual([version, version]);
  });

  it('has a README of these values: run helm-docs in the chart', () => {
    const args = ['--chart-search-root', chart, '--dry-run', '--log-level', 'error'];
    const { ok, output } = run(tool('helm-docs'), args);
    expect(ok).toBe(true);
    expect(output.trim()).toBe(readFileSync(join(chart, 'README.md'), 'utf8').trim());
  });

  it('says in its schema what each value may be', () => {
    const values: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
    const schema: unknown = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8'));
    const known = Object.keys(Object(at(schema, 'properties')));
    expect(known.sort()).toEqual(Object.keys(Object(values)).sort());
  });
});
