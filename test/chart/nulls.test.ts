import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isMapping } from '../../src/config/document.ts';
import { merged } from '../support/merged.ts';
import { useTools } from '../support/tools/use-tool.ts';
import { allOn } from './cases.ts';
import { chart, render, run } from './helm.ts';
import { schemaFileName } from './schemas.ts';

const defaults: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));

/** The keys of everything with a default, mappings included. */
function keys(node: unknown, at: readonly string[] = []): string[][] {
  if (!isMapping(node)) return [];
  return Object.entries(node).flatMap(([key, value]) => [[...at, key], ...keys(value, [...at, key])]);
}

/** `null` is how Helm's users remove a default. */
function without(path: readonly string[]): Record<string, unknown> {
  const values = merged(
    allOn,
    path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), null),
  );
  return isMapping(values) ? values : {};
}

describe('a removed default', () => {
  const tool = useTools('helm-3', 'kubeconform', 'kubernetes-schemas');

  it('is refused by the schema, or still gives valid Kubernetes objects', { timeout: 120_000 }, () => {
    // The keys in a security context are Kubernetes' own, and it checks them itself.
    const ours = keys(defaults).filter((path) => !/securityContext,/i.test(path.join()));
    const rendered = ours.map((path) => ({
      key: path.join('.'),
      ...render(tool('helm-3'), without(path)),
    }));
    const broken = rendered.filter(
      ({ ok, output }) => !ok && !/specifications of the schema|needs |: name /.test(output),
    );
    expect(broken.map(({ key, output }) => `${key}: ${output}`)).toEqual([]);

    const taken = rendered.filter(({ ok }) => ok);
    expect(taken.filter(({ output }) => /nil>|no value>/.test(output)).map(({ key }) => key)).toEqual([]);
    const location = join(tool('kubernetes-schemas'), schemaFileName);
    const conform = (...outputs: string[]): boolean =>
      run(tool('kubeconform'), ['-strict', '-schema-location', location, '-'], outputs.join('\n---\n')).ok;
    // Checking all at once takes a tenth of the time. Only a failure needs the single ones.
    const wrong = conform(...taken.map(({ output }) => output))
      ? []
      : taken.filter(({ output }) => !conform(output));
    expect(wrong.map(({ key }) => key)).toEqual([]);
  });
});
