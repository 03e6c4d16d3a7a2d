import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anySender, sendersOf } from '../../src/ingest/senders.ts';
import { chartConfig, chartFaults, mountsNamed, parseChartValues } from '../support/chart-values.ts';
import { loadExample } from '../support/example-config.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const files = readdirSync(new URL('deploy/examples/', root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `deploy/examples/${name}/values.yaml`);

/** The blocks of a page that set values of the chart. */
function blocksOf(page: string): { name: string; text: string }[] {
  const blocks = [...read(page).matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const values = blocks.filter((block) => /^config:$/m.test(block));
  return values.map((text, i) => ({ name: `${page}, block ${i + 1}`, text }));
}

const all = [
  ...files.map((name) => ({ name, text: read(name) })),
  ...['README.md', 'docs/kafka.md', 'deploy/helm/backlog-scaler/README.md'].flatMap(blocksOf),
];

it('has a Gateway in place of the Ingress, which the chart takes', () => {
  const text = read('deploy/examples/github/values.yaml').replace(/^ {2}ingress:\n(?: {4}.*\n)+/m, '');
  const values = parseChartValues(text.replaceAll(/^ {2}# (?=httpRoute:| {2}\w+:)/gm, '  '));
  expect(values['ingest']).toEqual({
    enabled: true,
    httpRoute: { enabled: true, parentRefs: [expect.anything()], hostnames: ['scaler.example.com'] },
  });
  expect(chartFaults(values)).toEqual([]);
});

describe.each(all)("the chart's values in $name", ({ text }) => {
  const values = parseChartValues(text);

  it('are accepted by the chart', () => {
    expect(chartFaults(values)).toEqual([]);
  });

  it('have a configuration that serve accepts', async () => {
    const { connections } = await loadExample(chartConfig(values));
    expect(connections.size).toBeGreaterThan(0);
  });

  it('mount exactly the Secrets that the configuration names', () => {
    expect((values.secretMounts ?? []).map(({ name }) => name)).toEqual(mountsNamed(values));
  });

  it('admit traffic to the ingest port if the scaler opens it', async () => {
    const { settings, connections } = await loadExample(chartConfig(values));
    const opened = anySender(sendersOf(connections.values(), settings.ingest.tokens));
    expect(Object(values['ingest']).enabled ?? false).toBe(opened);
  });
});
