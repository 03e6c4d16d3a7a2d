import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { tool, useTool } from '../support/tools/use-tool.ts';
import { alertNames, alertPath, documentedMetrics, metricsIn, readAlert } from './alert-files.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);

const checks = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ exp_alerts: z.array(z.unknown()) })).min(1) }),
  ),
});

function unitTest(name: string): string {
  return fileURLToPath(new URL(`${name}.test.yaml`, import.meta.url));
}

function runbook(name: string): string {
  return readFileSync(new URL(`docs/runbooks/${name}.md`, root), 'utf8');
}

/** The blocks of a runbook in one language. */
function blocks(name: string, language: string): string[] {
  const found = runbook(name).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...found].map(([, block = '']) => block);
}

describe.each(alertNames)('%s', (name) => {
  const tools = useTool(() => tool('prometheus'));

  it('is what promtool takes for a rule', async () => {
    const { stdout } = await run(tools().promtool, ['check', 'rules', alertPath(name)]);
    expect(stdout).toContain('SUCCESS: 1 rules found');
  });

  it('has a runbook whose queries Prometheus can parse', async () => {
    const queries = blocks(name, 'promql').flatMap((block) => block.trim().split('\n'));
    const rules = queries.map((expr, i) => ({ record: `query:${i}`, expr }));
    const file = join(await mkdtemp(join(tmpdir(), 'backlog-scaler-runbook-')), 'rules.yaml');
    await writeFile(file, stringify({ groups: [{ name, rules }] }));
    const { stdout } = await run(tools().promtool, ['check', 'rules', file]);
    expect(stdout).toContain('SUCCESS');
  });

  it('fires when it should, and not when it should not', async () => {
    const { stdout } = await run(tools().promtool, ['test', 'rules', unitTest(name)]);
    expect(stdout).toContain('SUCCESS');
  });
});

const code = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(new URL(`src/${file}`, root), 'utf8'))
  .join('\n');

describe.each(alertNames)('%s, as a file', (name) => {
  it('has a runbook with commands that a shell can parse, and says which', async () => {
    const commands = [...blocks(name, 'sh'), ...blocks(name, 'promql')];
    expect(commands.length).toBeGreaterThan(0);
    for (const block of blocks(name, 'sh')) await run('bash', ['-n', '-c', block]);
  });

  it('has a runbook that quotes messages as they are', () => {
    const quoted = [...runbook(name).matchAll(/(?<![*\w])\*([a-z][^*\n]{12,})\*(?!\*)/g)].map(
      ([, quote = '']) => quote,
    );
    expect(quoted.filter((quote) => !code.includes(quote))).toEqual([]);
  });

  it('is named like its group and its rule, and knows its runbook', () => {
    const { group, rule } = readAlert(name);
    expect([group, rule.alert]).toEqual([name, name]);
    expect(rule.annotations.runbook_url).toBe(`docs/runbooks/${name}.md`);
  });

  it('asks for metrics that are documented', () => {
    const metrics = metricsIn(readAlert(name).rule.expr);
    expect(metrics).not.toEqual([]);
    expect(metrics.filter((metric) => !documentedMetrics().has(metric))).toEqual([]);
  });

  it('has unit tests in which it fires and in which it does not', () => {
    const { tests } = checks.parse(parse(readFileSync(unitTest(name), 'utf8')));
    const fires = tests.map((test) => test.alert_rule_test.some(({ exp_alerts }) => exp_alerts.length > 0));
    expect(new Set(fires)).toEqual(new Set([true, false]));
  });

  it('has a runbook with its three sections, and links to what is there', () => {
    const page = new URL(`docs/runbooks/${name}.md`, root);
    const text = readFileSync(page, 'utf8');
    expect(text.split('\n')[0]).toBe(`# ${name}`);
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Meaning',
      'Look',
      'Mend',
    ]);
    const links = [...text.matchAll(/\]\(([^)\s#]+)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(new URL(link, page)))).toEqual([]);
    expect(metricsIn(text).filter((metric) => !documentedMetrics().has(metric))).toEqual([]);
  });
});

it('there is nothing in docs/runbooks and test/alerts for alerts that are not there', () => {
  const runbooks = readdirSync(new URL('docs/runbooks', root))
    .filter((name) => name !== 'README.md')
    .map((name) => name.replace(/\.md$/, ''));
  const unitTests = readdirSync(new URL('.', import.meta.url))
    .filter((name) => name.endsWith('.test.yaml'))
    .map((name) => name.replace(/\.test\.yaml$/, ''));
  expect([runbooks.sort(), unitTests.sort()]).toEqual([alertNames.toSorted(), alertNames.toSorted()]);
});

it('the index of docs/runbooks has each alert once, with the urgency of its runbook', () => {
  const rows = runbook('README').matchAll(/^\| \[\w+\]\((\w+)\.md\) \| ([\w ]+) \|/gm);
  const listed = [...rows].map(([, name = '', act = '']) => [name, act]);
  const urgency = alertNames.map((name) => {
    const [, act = ''] = /^\*\*(?:Act )?(.+?)\.\*\*/m.exec(runbook(name)) ?? [];
    return [name, act.toLowerCase()];
  });
  expect(listed.toSorted()).toEqual(urgency.toSorted());
});

it.each(['BacklogScalerTriggersFailing', 'BacklogScalerSourceRequestsFailing'])(
  'the runbook of %s says when it has ended, and that other connections go on',
  (name) => {
    expect(runbook(name)).toContain('**Is it over?** Yes, when');
    expect(runbook(name)).toContain('Other connections go on.');
  },
);
