import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { health } from '../support/health.ts';
import { inContainer } from './container.ts';
import { environmentOf } from './image-config.ts';
import { RunningImage } from './running-image.ts';
import { buildArgs, useImage } from './use-image.ts';

const image = useImage();
const inRepository = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** All three ports, and a log on disk, whose binaries must exist and fit this Node. */
const configuration = `
grpc: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
ingest: { host: 127.0.0.1, port: 0, tokens: [{ name: ci, token: a-token-of-the-test, connections: [builds] }] }
eventLog: { type: file, dir: /data }
connections:
  builds: { source: events, ttlSeconds: 60, items: [{ backlog: deploys, type: started, state: running, key: subject }] }
  orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"] }
`;

/** The output of a command in the image, once it has ended well. */
function printed(command: readonly string[]): string {
  const {
    command: [program = '', ...args],
    cwd,
    env,
  } = inContainer(image(), command);
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env: { ...env }, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** The files that a built file was made of, relative to the folder of the package. */
function sourcesOf(folder: string, map: string): string[] {
  const { sources } = z
    .object({ sources: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(join(folder, map), 'utf8')));
  return sources.map((source) => relative(folder, join(folder, dirname(map), source)));
}

/** Every path below a folder of the image, relative to it. */
function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

describe('the image', () => {
  it('states how it is run, and what it is by the names of the OCI image specification', () => {
    const { description } = z
      .object({ description: z.string() })
      .parse(JSON.parse(inRepository('package.json')));
    expect(image().config).toMatchObject({
      User: '65532:65532',
      WorkingDir: '/app',
      Entrypoint: ['/nodejs/bin/node', '--initial-old-space-size=128', '/app/dist/main.js'],
      Cmd: ['serve', '--config', '/etc/backlog-scaler/config.yaml'],
    });
    expect(Object.keys(image().config.ExposedPorts)).toEqual(['6000/tcp', '8080/tcp', '8081/tcp']);
    expect(image().config.Labels).toEqual({
      'org.opencontainers.image.title': 'backlog-scaler',
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': buildArgs.VERSION,
      'org.opencontainers.image.revision': buildArgs.COMMIT,
      'org.opencontainers.image.created': buildArgs.CREATED,
      'org.opencontainers.image.source': buildArgs.SOURCE,
    });
  });

  it('serves with only the volume writable, and ends on SIGTERM', async () => {
    const { config, configuration: folder, volume } = image();
    writeFileSync(join(folder, 'config.yaml'), configuration);
    const running = new RunningImage(inContainer(image(), [...config.Entrypoint, ...config.Cmd]));
    onTestFinished(() => running.signal('SIGKILL'));

    await vi.waitFor(
      async () => {
        const ready = await fetch(`http://127.0.0.1:${running.port('admin')}/readyz`);
        expect(ready.status).toBe(200);
      },
      { timeout: 15_000, interval: 100 },
    );
    expect(await health(running.port('grpc'))).toEqual({ status: 'SERVING' });
    const metrics = await (await fetch(`http://127.0.0.1:${running.port('admin')}/metrics`)).text();
    expect(metrics).toMatch(/^backlog_scaler_build_info\{.*commit="abc",node="v24\./m);

    running.signal('SIGTERM');
    expect(await running.exited, running.output).toBe(0);
    expect(readdirSync(volume)).not.toEqual([]);
  });

  it('knows its commands when arguments replace CMD', () => {
    expect(printed([...image().config.Entrypoint, '--version'])).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('adds only /app to its base', () => {
    const { root, base } = image();
    const mounted = ['app', 'data', 'dev', 'etc/backlog-scaler', 'proc'];
    const added = pathsIn(root).filter((path) => !existsSync(join(base, path)));
    expect(
      added.filter((path) => !mounted.some((one) => path === one || path.startsWith(`${one}/`))),
    ).toEqual([]);
  });

  it('has in /app the build of src, what that needs, and nothing else', () => {
    const app = join(image().root, 'app');
    expect(readdirSync(app).toSorted()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json', 'proto']);
    // A chunk that only passes others on has no map.
    const maps = pathsIn(join(app, 'dist')).filter((path) => path.endsWith('.js.map'));
    const folders = maps.flatMap((path) =>
      sourcesOf(app, join('dist', path)).map((source) => source.split('/')[0]),
    );
    expect(new Set(folders)).toEqual(new Set(['src', 'node_modules']));
    expect(sourcesOf(app, 'dist/main.js.map')).toContain('src/main.ts');
    const page = readdirSync(join(app, 'dist/admin/page'));
    expect(page.toSorted()).toEqual(['icon.svg', 'index.html', 'main.js', 'main.js.map', 'style.css']);
    expect(readdirSync(join(app, 'node_modules/uplot/dist'))).toContain('uPlot.esm.js');
  });

  it('is owned by root, so that its user cannot change what is run', () => {
    const app = join(image().root, 'app');
    const others = ['.', ...pathsIn(app)].filter((path) => {
      const status = lstatSync(join(app, path));
      const writable = !status.isSymbolicLink() && (status.mode & 0o002) !== 0;
      return status.uid !== 0 || status.gid !== 0 || writable;
    });
    expect(others).toEqual([]);
  });

  it('contains all production dependencies, and no other', () => {
    const lock = z
      .object({
        packages: z.record(
          z.string(),
          z.looseObject({
            dev: z.boolean().optional(),
            optional: z.boolean().optional(),
            link: z.boolean().optional(),
          }),
        ),
      })
      .parse(JSON.parse(inRepository('package-lock.json')));
    // A link points to a folder of the repository, which has its own row.
    const packages = Object.entries(lock.packages).filter(([path, { link }]) => path !== '' && !link);
    const there = packages.filter(([path]) => existsSync(join(image().root, 'app', path)));
    expect(there.filter(([, { dev }]) => dev).map(([path]) => path)).toEqual([]);
    expect(there).toEqual(packages.filter(([, { dev, optional }]) => !dev && !optional));
  });

  it('gives the heap a share of the memory limit, or of the memory without one', () => {
    const sizes =
      'JSON.stringify([v8.getHeapStatistics().heap_size_limit, process.constrainedMemory(), os.totalmem()])';
    const [heap, limit, total] = z
      .tuple([z.number(), z.number(), z.number()])
      .parse(JSON.parse(printed(['/nodejs/bin/node', '-p', sizes])));
    const memory = limit > 0 && limit < total ? limit : total;
    expect(heap / memory).toBeGreaterThan(0.65);
    expect(heap / memory).toBeLessThan(0.8);
  });

  it('has binaries of classic-level for every platform of the build', () => {
    const prebuilds = readdirSync(join(image().root, 'app/node_modules/classic-level/prebuilds'));
    expect(prebuilds).toEqual(expect.arrayContaining(['linux-arm64', 'linux-x64']));
  });

  it('gets the same options from the chart, if that adds others', () => {
    const template = inRepository('deploy/helm/backlog-scaler/templates/deployment.yaml');
    const [, options] = /NODE_OPTIONS\n *value: \{\{ printf "(.*) %s"/.exec(template) ?? [];
    expect(options).toBe(environmentOf(image().config)['NODE_OPTIONS']);
  });
});
