import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { copyContext } from './context.ts';
import { parseDockerfile, type Stage } from './dockerfile.ts';
import { NodeUnavailable, node24 } from './node24.ts';
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
 * the right to write away. Where npm has no Node 24 to give, the tests are skipped and the reason is printed;
 * where `CI` is set they fail.
 */
export function useImage(): () => Image {
  let image: Image | undefined;
  let missing = '';
  let directory = '';

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-image-'));
    chmodSync(directory, 0o755);
    try {
      image = await build(directory, node24());
    } catch (error) {
      const inCi = !['', 'false', undefined].includes(process.env['CI']);
      if (inCi || !(error instanceof NodeUnavailable)) throw error;
      missing = error.message;
      console.warn(`skipped, Node 24 cannot be had: ${missing}`);
    }
  }, buildLimitMs);

  beforeEach(({ skip }) => {
    if (missing !== '') skip(missing);
  });

  afterAll(() => {
    if (image) setWritable(image.root, true);
    rmSync(directory, { recursive: true, force: true });
  });

  return () => {
    if (image === undefined) throw new Error('the image is not built');
    return image;
  };
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
