import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { useTools } from '../support/tools/use-tool.ts';
import { chart, run } from './helm.ts';
import { type Mutant, mutantsOf, mutantsOfAll } from './switches.ts';

const suite = z.looseObject({ templates: z.array(z.string()) });
const files = readdirSync(join(chart, 'tests')).filter((name) => name.endsWith('_test.yaml'));
const suites = files.map((name) => ({
  file: `tests/${name}`,
  templates: suite.parse(parse(readFileSync(join(chart, 'tests', name), 'utf8'))).templates,
}));

/** The suites that could notice a change of this template. An included one can be used anywhere. */
function suitesOf(template: string): string[] {
  const seeing = suites.filter(({ templates }) => template.endsWith('.tpl') || templates.includes(template));
  return seeing.map(({ file }) => file);
}

function copyOfChart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backlog-scaler-switches-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(chart, folder, { recursive: true });
  return folder;
}

describe("the chart's suites", () => {
  const tool = useTools('helm-unittest');

  const pass = (folder: string, among: readonly string[]): Promise<boolean> => {
    const args = ['--strict', '--failfast', ...among.flatMap((file) => ['--file', file]), folder];
    return new Promise((resolve) => {
      execFile(tool('helm-unittest'), args, (error) => resolve(error === null));
    });
  };

  const seen = async ({ file, text }: Mutant, folder: string): Promise<boolean> => {
    const among = suitesOf(file);
    if (among.length === 0) return false;
    const path = join(folder, 'templates', file);
    writeFileSync(path, text);
    const passed = await pass(folder, among);
    cpSync(join(chart, 'templates', file), path);
    return !passed;
  };

  it('notice every emptied template and every turned switch', { timeout: 240_000 }, async () => {
    const queue = mutantsOfAll(join(chart, 'templates'));
    const unseen: string[] = [];
    const work = async (folder: string): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (!(await seen(next, folder))) unseen.push(next.what);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, () => work(copyOfChart())));
    expect(unseen.toSorted()).toEqual([]);
  });

  it('pass without a change', () => {
    const { ok, output } = run(tool('helm-unittest'), ['--strict', '--color=false', '.']);
    expect(ok, output).toBe(true);
  });
});

describe('a switch', () => {
  it('is turned both ways, and everything around it stays', () => {
    const [empty, ...turned] = mutantsOf('a.yaml', 'a:\n  {{- if .Values.b }}\n  b: 1\n  {{- end }}\n');
    expect(empty).toEqual({ what: 'a.yaml without its text', file: 'a.yaml', text: '' });
    expect(turned).toEqual([
      {
        what: 'a.yaml:2 {{- if .Values.b }} as true',
        file: 'a.yaml',
        text: 'a:\n  {{- if or true (.Values.b) }}\n  b: 1\n  {{- end }}\n',
      },
      {
        what: 'a.yaml:2 {{- if .Values.b }} as false',
        file: 'a.yaml',
        text: 'a:\n  {{- if and false (.Values.b) }}\n  b: 1\n  {{- end }}\n',
      },
    ]);
  });

  it('is emptied if it is a with', () => {
    const texts = mutantsOf('a.yaml', '{{ with .Values.b -}}{{ . }}{{ end }}').map(({ text }) => text);
    expect(texts).toEqual(['', '{{ with ternary "" "" (empty (.Values.b)) -}}{{ . }}{{ end }}']);
  });
});
