import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = new URL('../../.github/workflows/', import.meta.url);

const step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const job = z.looseObject({
  uses: z.string().optional(),
  needs: z.array(z.string()).default([]),
  permissions: z.record(z.string(), z.enum(['read', 'write'])),
  'timeout-minutes': z.number().optional(),
  steps: z.array(step).default([]),
});
const workflow = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  defaults: z.unknown().optional(),
  permissions: z.strictObject({}),
  jobs: z.record(z.string(), job),
});

const workflows = readdirSync(folder).map((file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  return { file, text, ...workflow.parse(parse(text)) };
});
const named = (file: string) => {
  const found = workflows.find((one) => one.file === file);
  if (found === undefined) throw new Error(`there is no ${file}`);
  return found;
};
const jobs = workflows.flatMap((one) =>
  Object.entries(one.jobs).map(([name, rest]) => ({ of: `${one.file}: ${name}`, ...rest })),
);
const steps = jobs.flatMap((one) => one.steps.map((rest) => ({ of: one.of, ...rest })));

describe('a workflow', () => {
  it.each(workflows)('$file: pins every action to a commit and says its version', ({ text }) => {
    const lines = text.split('\n').filter((line) => /\buses:/.test(line));
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      expect(line).toMatch(/uses: (\.\/\S+|[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    }
  });

  it('has one commit for an action', () => {
    const pins = new Map<string, string>();
    for (const { text } of workflows) {
      for (const [, action = '', pin = ''] of text.matchAll(/uses: ([^@\s]+)@(.*)/g)) {
        expect(pins.get(action) ?? pin).toBe(pin);
        pins.set(action, pin);
      }
    }
  });

  it.each(jobs)('$of: has a time limit', ({ uses, 'timeout-minutes': minutes }) => {
    if (uses === undefined) expect(minutes).toBeLessThanOrEqual(60);
  });

  it.each(steps.filter(({ run }) => run !== undefined))('$of: $run: is no template', ({ run }) => {
    // GitHub pastes templates into a script, which then runs them: a branch's name, or a secret that ends up in the log.
    expect(run).not.toMatch(/\$\{\{/);
    expect(run).not.toMatch(/set -[a-z]*x|(echo|printf|printenv).*(TOKEN|PASSWORD|SECRET)|^\s*env\s*$/m);
  });

  it.each(steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')))(
    '$of: leaves no token in the tree',
    ({ with: inputs }) => expect(inputs).toMatchObject({ 'persist-credentials': false }),
  );

  it.each(workflows)('$file: uses no secret except the token of the run', ({ text }) => {
    expect(text).not.toMatch(/secrets\b/);
  });
});

describe('CI', () => {
  const { on, jobs: found } = named('ci.yaml');

  it('runs .ci/run for every change, and for a release', () => {
    expect(Object.keys(on)).toEqual(['push', 'pull_request', 'workflow_call']);
    expect(found['run']?.steps.at(-1)?.run).toBe('bash .ci/run');
  });

  it('builds the image with its real base images, and starts it', () => {
    expect(found['image']?.steps.flatMap(({ run }) => run ?? [])).toEqual([
      'docker build --tag backlog-scaler:ci .',
      'docker run --rm --read-only backlog-scaler:ci --version',
      'docker run --rm --read-only -v "$PWD:/work" -w /work backlog-scaler:ci validate -f deploy/examples',
    ]);
  });

  it('may only read: a change of anybody is run', () => {
    for (const { permissions } of Object.values(found)) expect(permissions).toEqual({ contents: 'read' });
    expect(on).not.toHaveProperty('pull_request_target');
  });
});

describe('a release', () => {
  const { on, jobs: found } = named('release.yaml');
  const release = (name: string) => job.parse(found[name]);
  const inputs = (name: string, action: string) =>
    release(name).steps.find(({ uses }) => uses?.startsWith(`${action}@`))?.with;

  it('stops at a failure in a pipe', () => {
    // GitHub adds `-o pipefail` only for a named shell.
    expect(named('release.yaml').defaults).toEqual({ run: { shell: 'bash' } });
  });

  it('is made by a tag alone', () => expect(on).toEqual({ push: { tags: ['v*'] } }));

  it('is published after CI and the version gate have passed', () => {
    const needed = (name: string): string[] => release(name).needs.flatMap((one) => [one, ...needed(one)]);
    for (const [name, { permissions }] of Object.entries(found)) {
      if (Object.values(permissions).includes('write')) {
        expect(needed(name)).toEqual(expect.arrayContaining(['ci', 'gate']));
      }
    }
    expect(release('ci').uses).toBe('./.github/workflows/ci.yaml');
    expect(release('gate').steps.some(({ run }) => run?.includes('scripts/version-gate.mjs "$TAG"'))).toBe(
      true,
    );
  });

  it('gives each job what it needs and no more', () => {
    const writes = Object.entries(found).map(([name, { permissions }]) => [
      name,
      Object.keys(permissions).filter((scope) => permissions[scope] === 'write'),
    ]);
    expect(Object.fromEntries(writes)).toEqual({
      ci: [],
      gate: [],
      image: ['packages', 'id-token'],
      chart: ['packages', 'id-token'],
      notes: ['contents'],
    });
  });

  it('has an image of both architectures, with what is in it and where it comes from', () => {
    expect(inputs('image', 'docker/build-push-action')).toMatchObject({
      platforms: 'linux/amd64,linux/arm64',
      sbom: true,
      provenance: 'mode=max',
      push: true,
    });
  });

  it('passes to the image everything that its Dockerfile needs', () => {
    const file = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    const asked = [...file.matchAll(/^ARG (\w+)=/gm)].map(([, name]) => name);
    const given = String(inputs('image', 'docker/build-push-action')?.['build-args']).matchAll(/^(\w+)=/gm);
    expect([...given].map(([, name]) => name)).toEqual(asked);
  });

  it('has a chart that knows the image, before it is packed', () => {
    const [packs] = release('chart').steps.flatMap(({ run }) => (run?.includes('helm package') ? run : []));
    expect(packs?.split('\n')[0]).toBe('node scripts/release-chart.mjs --image "$IMAGE" --source "$SOURCE"');
  });

  it.each(['image', 'chart'])('signs the %s by its digest, and replaces none', (name) => {
    const runs = release(name).steps.flatMap(({ run }) => run ?? []);
    expect(runs.at(-1)).toMatch(/^cosign sign --yes .*@\$DIGEST"$/);
    expect(runs.some((run) => run.includes('is published already'))).toBe(true);
  });
});
