import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { Forbidden } from '../support/tools/forbidden.ts';
import { run } from '../support/tools/run.ts';
import { tool, useTool } from '../support/tools/use-tool.ts';
import { Builder } from './builder.ts';
import type { ImageConfig } from './image-config.ts';
import { npmVolumes } from './npm-volumes.ts';
import { distrolessTree, nodeTree } from './stand-ins/trees.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const standIns = fileURLToPath(new URL('stand-ins/', import.meta.url));

/** Two installs and a build, the first time without npm's cache. */
const buildLimitMs = 10 * 60_000;

export const buildArgs = {
  VERSION: '1.2.3',
  COMMIT: 'abc',
  CREATED: '2026-11-22T00:00:00Z',
  SOURCE: 'https://here',
};

export interface Image {
  readonly config: ImageConfig;
  /** The path of its root. */
  readonly root: string;
  /** The root of the base image of its last stage. */
  readonly base: string;
  /** Folders to mount: `configuration`, and `volume`, which its user can write to. */
  readonly configuration: string;
  readonly volume: string;
  unmount(): Promise<void>;
}

/**
 * The image that Buildah builds from the Dockerfile. Stand-ins replace the base images under their names: the Node that
 * runs the tests, npm from npm's registry, and the rest from this machine. Needs root and the right to mount, see
 * `useTool`.
 */
export function useImage(): () => Image {
  let directory = '';
  // Hooks end in reverse order, so this one is last.
  afterAll(() => rmSync(directory, { recursive: true, force: true }), buildLimitMs);
  return useTool(
    async () => {
      await mustMount();
      const [program, npm] = [await tool('buildah'), await tool('npm')];
      directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-image-'));
      chmodSync(directory, 0o755);
      return await build(directory, { program, npm, node: process.execPath });
    },
    { end: (image) => image.unmount() },
  );
}

async function mustMount(): Promise<void> {
  try {
    await run('unshare', ['--mount', 'true'], { doing: 'making a mount namespace' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Forbidden(
      `building an image takes root on Linux, with the right to mount (CAP_SYS_ADMIN): ${why}`,
    );
  }
}

async function build(
  directory: string,
  { program, npm, node }: { program: string; npm: string; node: string },
): Promise<Image> {
  const builder = new Builder(program, join(directory, 'builder'));
  const base = join(directory, 'distroless');
  await nodeTree(join(directory, 'node'), { node, npm });
  await distrolessTree(base, node);
  await builder.build({
    file: join(standIns, 'node.Dockerfile'),
    context: join(directory, 'node'),
    tag: 'docker.io/library/node:24-bookworm-slim',
  });
  await builder.build({
    file: join(standIns, 'distroless.Dockerfile'),
    context: base,
    tag: 'gcr.io/distroless/nodejs24-debian13:nonroot',
  });
  await builder.build({
    file: join(repository, 'Dockerfile'),
    context: repository,
    tag: 'backlog-scaler',
    args: buildArgs,
    volumes: await npmVolumes(directory),
  });
  const [configuration, volume] = [join(directory, 'configuration'), join(directory, 'volume')];
  for (const folder of [configuration, volume]) mkdirSync(folder);
  chmodSync(volume, 0o777);
  const [config, root] = [await builder.config('backlog-scaler'), await builder.mount('backlog-scaler')];
  return { config, root, base, configuration, volume, unmount: () => builder.unmount() };
}
