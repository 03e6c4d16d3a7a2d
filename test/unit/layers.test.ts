import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

/** Two rows for each kind of rule in the table. */
const forbidden: [file: string, imported: string][] = [
  ['src/errors.ts', './telemetry/log.ts'],
  ['src/params/a.ts', '../errors.ts'],
  ['src/params/b.ts', 'node:fs'],
  ['src/scaling/a.ts', '../sources/kafka/config.ts'],
  ['src/scaling/b.ts', 'node:crypto'],
  ['src/grpc/a.ts', '../sources/kafka/config.ts'],
  ['src/grpc/b.ts', 'kafkajs'],
  ['src/sources/kafka/a.ts', '../../grpc/server.ts'],
  ['src/sources/kafka/b.ts', '../sqs/config.ts'],
  ['src/sources/kafka/c.ts', '@aws-sdk/client-sqs'],
  ['src/sources/kafka/deep/d.ts', '../../../config/load.ts'],
  ['src/sources/kafka/lag.ts', 'kafkajs'],
  ['src/sources/github/a.ts', '@octokit/rest'],
  ['src/sources/github/rules/a.ts', 'node:crypto'],
  ['src/ingest/a.ts', '../sources/kafka/config.ts'],
  ['src/ingest/b.ts', '@grpc/grpc-js'],
  ['src/config/a.ts', '../sources/index.ts'],
  ['src/config/b.ts', '../scaler.ts'],
  ['src/admin/a.ts', '@opentelemetry/api'],
  ['src/cli/a.ts', '../../fakes/ports.ts'],
  ['src/newcomer/a.ts', '../errors.ts'],
  ['src/telemetry/a.ts', 'vitest'],
  ['fakes/a.ts', '../demo/run.ts'],
  ['demo/a.ts', '../test/support/rpc.ts'],
];

const allowed: [file: string, imported: string][] = [
  ['src/sources/kafka/x.ts', 'kafkajs'],
  ['src/sources/kafka/y.ts', '../source.ts'],
  ['src/sources/github/upstream/x.ts', 'lru-cache'],
  ['src/sources/index.ts', './kafka/config.ts'],
  ['src/grpc/x.ts', '../errors.ts'],
  ['src/ingest/x.ts', 'fastify'],
  ['src/scaler.ts', './grpc/server.ts'],
  ['src/cli/x.ts', '../scaler.ts'],
  ['fakes/x.ts', '../src/errors.ts'],
  ['demo/x.ts', '../fakes/ports.ts'],
];

const report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

/** The files that the table refuses, from a set in which each imports one thing's types. */
function refusedOf(files: readonly [string, string][], folder: string): string[] {
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), readFileSync('package.json'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, specifier] of files) {
    if (specifier.startsWith('.')) write(join(dirname(path), specifier), 'export {};\n');
  }
  for (const [path, specifier] of files) {
    write(path, `import type * as one from '${specifier}';\n\nexport type Two = typeof one;\n`);
  }
  const command = ['--config', resolve('layers.mjs'), '--output-type', 'json', 'src', 'fakes', 'demo'];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'), ...command],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  expect(stderr).toBe('');
  const { violations } = report.parse(JSON.parse(stdout)).summary;
  expect(violations.filter(({ rule }) => rule.name === 'not-found')).toEqual([]);
  return violations.map(({ from }) => from);
}

describe('imports go one way only', () => {
  let folder: string;
  let refused: string[];
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'backlog-scaler-layers-')));
    refused = refusedOf([...forbidden, ...allowed], folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(forbidden)('%s may not import %s', (path) => {
    expect(refused).toContain(path);
  });

  it.each(allowed)('%s may import %s', (path) => {
    expect(refused).not.toContain(path);
  });

  it('is enforced by the linter', () => {
    const { scripts } = z
      .object({ scripts: z.object({ lint: z.string() }) })
      .parse(JSON.parse(readFileSync('package.json', 'utf8')));
    expect(scripts.lint).toContain('depcruise --config layers.mjs src fakes demo');
  });
});
