import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const forbidden: [string, string][] = [
  ['src/grpc/a.ts', '../sources/kafka/config.ts'],
  ['src/grpc/b.ts', 'kafkajs'],
  ['src/sources/kafka/a.ts', '../../grpc/server.ts'],
  ['src/sources/kafka/b.ts', '../../trigger/trigger.ts'],
  ['src/sources/kafka/c.ts', '../../monitor/board.ts'],
  ['src/sources/kafka/watch/d.ts', '../../../admin/server.ts'],
  ['src/sources/kafka/backlog.ts', 'kafkajs'],
  ['src/sources/kafka/history.ts', 'node:fs'],
  ['src/sources/kafka/pace.ts', '../../monitor/board.ts'],
  ['src/scaling/a.ts', '../monitor/board.ts'],
  ['src/scaling/b.ts', '../sources/kafka/config.ts'],
  ['src/scaling/c.ts', 'node:fs'],
  ['src/params/a.ts', '../errors.ts'],
  ['src/telemetry/a.ts', '../errors.ts'],
  ['src/errors.ts', './telemetry/log.ts'],
  ['src/monitor/a.ts', '../grpc/server.ts'],
  ['src/monitor/b.ts', '../sources/index.ts'],
  ['src/trigger/a.ts', '../monitor/board.ts'],
  ['src/admin/a.ts', '../sources/source.ts'],
  ['src/config/a.ts', '../sources/index.ts'],
];

const allowed: [string, string][] = [
  ['src/grpc/y.ts', '../trigger/trigger.ts'],
  ['src/monitor/y.ts', '../sources/source.ts'],
  ['src/monitor/z.ts', '../trigger/book.ts'],
  ['src/scaling/y.ts', '../errors.ts'],
  ['src/sources/kafka/y.ts', 'kafkajs'],
  ['src/sources/other/backlog.ts', './snapshot.ts'],
  ['src/cli/y.ts', '../sources/index.ts'],
];

const report = z.object({
  diagnostics: z.array(z.object({ location: z.object({ path: z.string() }) })),
});

/** The files the project's lint rules refuse, out of ones that each import one thing. */
function refusedOf(files: readonly [string, string][], folder: string): string[] {
  for (const [path, specifier] of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `import * as one from '${specifier}';\n\nexport const two = one;\n`);
  }
  const rules: unknown = JSON.parse(readFileSync('biome.json', 'utf8'));
  const config = { ...z.looseObject({}).parse(rules), vcs: { enabled: false }, $schema: undefined };
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(config));
  const command = [
    'lint',
    '--only=style/noRestrictedImports',
    '--reporter=json',
    '--max-diagnostics=none',
    'src',
  ];
  const { stdout } = spawnSync(resolve('node_modules/.bin/biome'), command, {
    cwd: folder,
    encoding: 'utf8',
  });
  return report.parse(JSON.parse(stdout)).diagnostics.map(({ location }) => location.path);
}

describe('imports go one way', () => {
  let folder: string;
  let refused: string[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'backlog-scaler-layers-'));
    refused = refusedOf([...forbidden, ...allowed], folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(forbidden)('%s may not import %s', (path) => {
    expect(refused).toContain(path);
  });

  it.each(allowed)('%s may import %s', (path) => {
    expect(refused).not.toContain(path);
  });
});
