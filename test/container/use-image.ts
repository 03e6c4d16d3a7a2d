import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { node24 } from '../support/tools/node24.ts';
import { useTool } from '../support/tools/use-tool.ts';
import { copyContext } from './context.ts';
import { parseDockerfile, type Stage } from './dockerfile.ts';
import { type BuiltStage, StageBuilder } from './stage-builder.ts';
import { setWritable } from './tree.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Two installs and a build, the first time without npm's cache. */
const buildLimitMs = 8 * 60_000;

export interface Image extends BuiltStage {
  readonly stage: Stage;
  /** Where a volume would be mounted. */
  readonly volume: string;
}

export function dockerfile(): readonly Stage[] {
  return parseDockerfile(readFileSync(join(repository, 'Dockerfile'), 'utf8'));
}

/**
 * Carries out the Dockerfile in a directory of its own, with Node 24 where the base images have it, and takes
 * the right to write away. Needs npm's package of Node 24: see `useTool`.
 */
export function useImage(): () => Image {
  let directory = '';
  // Of what is registered first, the end comes last.
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return useTool(
    async () => {
      const node = await node24();
      directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-image-'));
      chmodSync(directory, 0o755);
      return await build(directory, node);
    },
    {
      limitMs: buildLimitMs,
      end: ({ root }) => setWritable(root, true),
    },
  );
}

async function build(directory: string, node: string): Promise<Image> {
  const context = join(directory, 'context');
  const volume = join(directory, 'volume');
  mkdirSync(context);
  mkdirSync(volume);
  chmodSync(volume, 0o777);
  copyContext(repository, context);
  const stages = dockerfile();
  const path = `${dirname(node)}:${process.env['PATH']}`;
  const built = await new StageBuilder({ directory, context, path }).build(stages);
  const stage = stages.at(-1);
  if (stage === undefined) throw new Error('the Dockerfile has no stage');
  // What the last base image brings.
  mkdirSync(join(built.root, 'nodejs/bin'), { recursive: true });
  cpSync(node, join(built.root, 'nodejs/bin/node'));
  mkdirSync(join(built.root, 'etc/backlog-scaler'), { recursive: true });
  return { ...built, stage, volume };
}
