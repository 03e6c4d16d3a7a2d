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
  ['src/params/b.ts', 'node:fs'],
  ['src/clock.ts', './telemetry/log.ts'],
  ['src/telemetry/a.ts', '../errors.ts'],
  ['src/errors.ts', './telemetry/log.ts'],
  ['src/monitor/a.ts', '../grpc/server.ts'],
  ['src/monitor/b.ts', '../sources/index.ts'],
  ['src/trigger/a.ts', '../monitor/board.ts'],
  ['src/admin/a.ts', '../sources/source.ts'],
  ['src/config/a.ts', '../sources/index.ts'],
  ['src/monitor/tracing.ts', '@opentelemetry/api'],
  ['src/sources/kafka/tracing.ts', '@opentelemetry/api'],
  ['src/config/b.ts', '../ingest/server.ts'],
  ['src/ingest/a.ts', '../monitor/board.ts'],
  ['src/ingest/b.ts', '../trigger/trigger.ts'],
  ['src/ingest/c.ts', '../sources/github/webhook.ts'],
  ['src/ingest/d.ts', '../config/schema.ts'],
  ['src/ingest/e.ts', '../grpc/server.ts'],
  ['src/ingest/f.ts', '../admin/server.ts'],
  ['src/ingest/g.ts', '@octokit/rest'],
  ['src/ingest/h.ts', 'kafkajs'],
  ['src/event-log/a.ts', '../ingest/server.ts'],
  ['src/event-log/b.ts', '../sources/github/fact.ts'],
  ['src/event-log/c.ts', '../monitor/board.ts'],
  ['src/event-log/d.ts', 'fastify'],
  ['src/monitor/c.ts', '../ingest/receiver.ts'],
  ['src/decisions/a.ts', '../monitor/board.ts'],
  ['src/decisions/b.ts', '../sources/index.ts'],
  ['src/decisions/c.ts', 'pino'],
  ['src/monitor/d.ts', '../event-log/event-log.ts'],
  ['src/monitor/e.ts', '@octokit/rest'],
  ['src/trigger/b.ts', '@octokit/rest'],
  ['src/scaling/d.ts', '@octokit/rest'],
  ['src/grpc/c.ts', '@octokit/rest'],
  ['src/grpc/d.ts', '../event-log/event-log.ts'],
  ['src/admin/b.ts', '@octokit/webhooks-methods'],
  ['src/admin/c.ts', '../ingest/server.ts'],
  ['src/sources/github/a.ts', '../../ingest/receiver.ts'],
  ['src/sources/github/b.ts', '../../event-log/memory.ts'],
  ['src/sources/github/reconcile/c.ts', '../../../event-log/memory.ts'],
  ['src/sources/github/connection.ts', '@octokit/rest'],
  ['src/sources/github/rest/d.ts', '../../../monitor/board.ts'],
  ['src/sources/github/rest/e.ts', 'fastify'],
  ['src/sources/github/backlog.ts', '@octokit/rest'],
  ['src/sources/github/job.ts', 'node:crypto'],
  ['src/sources/github/fact.ts', 'node:crypto'],
  ['src/sources/github/snapshot.ts', 'node:crypto'],
  ['src/sources/github/webhook.ts', 'node:crypto'],
  ['src/sources/github/ledger/f.ts', 'node:crypto'],
  ['src/sources/github/ledger/g.ts', '@octokit/rest'],
  ['src/sources/github/ledger/h.ts', '../../../trigger/trigger.ts'],
  ['src/sources/kafka/e.ts', '@aws-sdk/client-sqs'],
  ['src/sources/github/rest/f.ts', '@aws-sdk/client-sqs'],
  ['src/ingest/i.ts', '@aws-sdk/client-sqs'],
  ['src/config/c.ts', '@aws-sdk/credential-providers'],
  ['src/sources/sqs/a.ts', '../../monitor/board.ts'],
  ['src/sources/sqs/b.ts', 'kafkajs'],
  ['src/sources/sqs/backlog.ts', '@aws-sdk/client-sqs'],
  ['src/sources/sqs/history.ts', 'node:crypto'],
  ['src/sources/sqs/pace.ts', '@aws-sdk/client-sqs'],
  ['src/sources/sqs/queue-url.ts', 'node:url'],
  ['src/sources/events/connection.ts', '../../event-log/file.ts'],
  ['src/sources/events/fact.ts', 'node:crypto'],
  ['src/sources/events/ledger.ts', 'node:crypto'],
  ['src/sources/events/backlog.ts', 'node:crypto'],
];

const allowed: [string, string][] = [
  ['src/grpc/y.ts', '../trigger/trigger.ts'],
  ['src/monitor/y.ts', '../sources/source.ts'],
  ['src/monitor/z.ts', '../trigger/book.ts'],
  ['src/scaling/y.ts', '../errors.ts'],
  ['src/sources/kafka/y.ts', 'kafkajs'],
  ['src/sources/other/backlog.ts', './snapshot.ts'],
  ['src/cli/y.ts', '../sources/index.ts'],
  ['src/ingest/w.ts', '../sources/source.ts'],
  ['src/ingest/x.ts', '../event-log/event-log.ts'],
  ['src/ingest/y.ts', 'fastify'],
  ['src/ingest/z.ts', '@octokit/webhooks-methods'],
  ['src/event-log/y.ts', '../telemetry/log.ts'],
  ['src/decisions/y.ts', '../monitor/decision.ts'],
  ['src/decisions/z.ts', '../telemetry/log.ts'],
  ['src/event-log/z.ts', '../errors.ts'],
  ['src/sources/y.ts', './events/index.ts'],
  ['src/sources/events/mapping.ts', 'node:crypto'],
  ['src/event-log/level-store.ts', 'classic-level'],
  ['src/sources/github/y.ts', './rest/api.ts'],
  ['src/sources/github/rest/y.ts', '@octokit/rest'],
  ['src/sources/github/rest/z.ts', 'node:crypto'],
  ['src/sources/github/ledger/y.ts', '../job.ts'],
  ['src/sources/sqs/y.ts', '@aws-sdk/client-sqs'],
  ['src/sources/sqs/z.ts', 'node:http'],
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
