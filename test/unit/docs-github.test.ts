import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const page = readFileSync(new URL('../../docs/github.md', import.meta.url), 'utf8');

describe('docs/github.md', () => {
  it('says which places of the examples are to be changed', () => {
    const folder = new URL('../../deploy/examples/github/', import.meta.url);
    const changes = (file: string): number =>
      readFileSync(new URL(file, folder), 'utf8').match(/# (?:\d\. )?CHANGE\b/g)?.length ?? 0;
    expect(
      ['values', 'scaledjob', 'scaledjob-accurate', 'scaledobject'].map((name) => changes(`${name}.yaml`)),
    ).toEqual([4, 1, 3, 2]);
    for (const name of ['scaledjob', 'scaledobject']) expect(page).toContain(`runners/${name}.yaml`);
  });

  it('writes the files by one command, with nothing of the example left', () => {
    const [, filled = '', written = ''] =
      /^(organisation=.*\n.*)\n(?:.|\n)*?^(mkdir (?:.|\n)*?^done)/m.exec(page) ?? [];
    const own = {
      organisation: 'initech',
      namespace: 'build',
      host: 'keda.initech.com',
      registry: 'r.io/x',
      id: 'Iv1',
      job_label: 'large-checks',
      deployment_label: 'lint',
    };
    const env = { ...process.env, ...own };
    expect(filled.split(/\s/).map((one) => one.split('=')[0])).toEqual(Object.keys(own));
    const directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-docs-'));
    symlinkSync(fileURLToPath(new URL('../../deploy', import.meta.url)), join(directory, 'deploy'));
    execFileSync('bash', ['-ec', written], { cwd: directory, env });
    const text = ['values', 'scaledjob', 'scaledobject']
      .map((name) => readFileSync(join(directory, 'runners', `${name}.yaml`), 'utf8'))
      .join('---\n');
    expect(text.match(/.*(acme|example|Iv23|gpu|(?<!large-)checks|namespaces?: \[?ci).*/g)).toBeNull();
    for (const value of Object.values(own)) expect(text).toContain(value);
    expect(text.match(/connection: ci$/gm)).toHaveLength(2);
  });

  it('makes the namespace before anything is put there', () => {
    const [first = ''] = page.match(/^kubectl .*"\$namespace".*$/m) ?? [];
    expect(first).toBe('kubectl create namespace "$namespace"');
  });

  it('links to manifests and pages that are there', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links)
      expect(() => readFileSync(new URL(`../../docs/${link}`, import.meta.url))).not.toThrow();
  });

  it('quotes messages as they are', () => {
    const folder = new URL('../../src/', import.meta.url);
    const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const cells = [...page.matchAll(/^\| (\*[^|]+\*) \|/gm)].map(([, cell = '']) => cell);
    const quoted = cells.flatMap((cell) => [...cell.matchAll(/\*([^*]+)\*/g)].map(([, text = '']) => text));
    expect(quoted.length).toBeGreaterThan(3);
    expect(quoted.filter((text) => !code.includes(text))).toEqual([]);
  });

  it('makes the Secret that the examples read, with their keys', () => {
    const folder = new URL('../../deploy/examples/github/', import.meta.url);
    const examples = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'));
    const read = [page, ...examples].flatMap((text) => {
      const names = [...text.matchAll(/secretKeyRef:\s*\{?\s*name: ([\w-]+),?\s*key: ([\w-]+)/g)];
      return names.map(([, name, key]) => `${name}/${key}`);
    });
    const made = [...page.replaceAll('\\\n', '').matchAll(/create secret generic (\S+) (.*)/g)].flatMap(
      ([, name, options = '']) =>
        [...options.matchAll(/--from-(?:file|literal)=([\w.-]+)/g)].map(([, key]) => `${name}/${key}`),
    );
    expect(new Set(read)).toEqual(
      new Set(['token', 'app-id', 'app-private-key'].map((key) => `runner-registration/${key}`)),
    );
    for (const one of read) expect(made).toContain(one);
  });
});
