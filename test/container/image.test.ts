import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { execForm } from './dockerfile.ts';
import { RunningImage } from './running-image.ts';
import { contentsOf, setWritable } from './tree.ts';
import { useImage } from './use-image.ts';

const image = useImage();

/** All three ports, and a log on disk: its binaries must be there and fit this Node. */
const configuration = (volume: string): string => `
grpc: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
ingest: { host: 127.0.0.1, port: 0, tokens: [{ name: ci, token: a-token-of-the-test, connections: [builds] }] }
eventLog: { type: file, dir: ${volume} }
connections:
  builds: { source: events, ttlSeconds: 60, items: [{ backlog: deploys, type: started, state: running, key: subject }] }
  orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"] }
`;

/** Absolute paths are the image's. */
function launch(): { command: string[]; cwd: string; env: Record<string, string>; uid: number } {
  const { root, workdir, env, stage } = image();
  const words = [...execForm(stage, 'ENTRYPOINT'), ...execForm(stage, 'CMD')];
  const user = stage.instructions.find(({ name }) => name === 'USER')?.text ?? '';
  return {
    command: words.map((word) => (word.startsWith('/') ? join(root, word) : word)),
    cwd: join(root, workdir),
    env: { ...env },
    uid: Number(user.split(':')[0]),
  };
}

function health(port: number): Promise<unknown> {
  const method = healthService['Check'];
  if (method === undefined) throw new Error('grpc-health-check has no Check');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

describe('the image', () => {
  it('serves with nothing it can write to but the volume, and ends on SIGTERM', async () => {
    const { root, volume } = image();
    writeFileSync(join(root, 'etc/backlog-scaler/config.yaml'), configuration(volume));
    setWritable(root, false);
    const before = contentsOf(root);
    const running = new RunningImage(launch());
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
    expect(metrics).toMatch(/^backlog_scaler_build_info\{.*commit="unknown",node="v24\./m);

    running.signal('SIGTERM');
    expect(await running.exited, running.output).toBe(0);
    expect(readdirSync(volume)).not.toEqual([]);
    expect(contentsOf(root)).toEqual(before);
  });

  it('knows its commands when arguments are given in the place of CMD', () => {
    const { command, cwd, env } = launch();
    const [node = '', main = ''] = command;
    const asked = spawnSync(node, [main, '--version'], { cwd, env, encoding: 'utf8' });
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  it('holds production dependencies, all of them, and no other', () => {
    const { root, workdir } = image();
    const lock = z
      .object({
        packages: z.record(
          z.string(),
          z.looseObject({ dev: z.boolean().optional(), optional: z.boolean().optional() }),
        ),
      })
      .parse(JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')));
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    const there = packages.filter(([path]) => existsSync(join(root, workdir, path)));
    expect(there.filter(([, { dev }]) => dev).map(([path]) => path)).toEqual([]);
    expect(there).toEqual(packages.filter(([, { dev, optional }]) => !dev && !optional));
  });

  it('gives the heap a share of the memory limit, or of the memory where there is none', () => {
    const { env } = launch();
    const [node = ''] = launch().command;
    const asked = spawnSync(
      node,
      [
        '-p',
        'JSON.stringify([v8.getHeapStatistics().heap_size_limit, process.constrainedMemory(), os.totalmem()])',
      ],
      { env, encoding: 'utf8' },
    );
    const [heap, limit, total] = z
      .tuple([z.number(), z.number(), z.number()])
      .parse(JSON.parse(asked.stdout));
    const memory = limit > 0 && limit < total ? limit : total;
    expect(heap / memory).toBeGreaterThan(0.65);
    expect(heap / memory).toBeLessThan(0.8);
  });

  it('has binaries of classic-level for every platform it is built for', () => {
    const { root, workdir } = image();
    const prebuilds = readdirSync(join(root, workdir, 'node_modules/classic-level/prebuilds'));
    expect(prebuilds).toEqual(expect.arrayContaining(['linux-arm64', 'linux-x64']));
  });

  it('is given the same share by the chart, where that adds options of its own', () => {
    const template = new URL('../../deploy/helm/backlog-scaler/templates/deployment.yaml', import.meta.url);
    const [share] = /--max-old-space-size-percentage=\d+/.exec(readFileSync(template, 'utf8')) ?? [];
    expect(share).toBe(image().env['NODE_OPTIONS']);
  });
});
