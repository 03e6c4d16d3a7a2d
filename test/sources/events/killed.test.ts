import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../../support/command.ts';
import { ConfigFolder } from '../../support/config-folder.ts';
import { age } from '../../support/event-store.ts';
import { ingest, postEvents, workEvent, workItems } from '../../support/events/event-posts.ts';
import { ref, TestClient } from '../../support/rpc-client.ts';

const server = { host: '127.0.0.1', port: 0 };
const work = ref('agents', { source: 'events', backlog: 'work' });

/** The built command over one directory, again and again. */
class Serving {
  private readonly folder: ConfigFolder;
  private command: Command | undefined;

  static async make(): Promise<Serving> {
    const folder = await ConfigFolder.make();
    const serving = new Serving(folder);
    const connections = { builds: { source: 'events', ttlSeconds: 3600, items: workItems } };
    await age(join(folder.path, 'events'), ['builds']);
    const eventLog = { type: 'file', dir: 'events' };
    await folder.write(
      'config.yaml',
      stringify({ grpc: server, admin: server, ingest, eventLog, connections }),
    );
    onTestFinished(async () => {
      await serving.kill();
      await folder.remove();
    });
    return serving;
  }

  private constructor(folder: ConfigFolder) {
    this.folder = folder;
  }

  async start() {
    const command = new Command(['serve', '--config', this.folder.file]);
    this.command = command;
    await command.line(({ msg }) => msg === 'ready');
    const port = await command.port('ingest');
    return { command, port, pid: command.pid };
  }

  async kill(): Promise<void> {
    this.command?.signal('SIGKILL');
    await this.command?.exited;
  }

  async number(): Promise<number | undefined> {
    const address = `127.0.0.1:${await this.command?.port('grpc')}`;
    const client = new TestClient(address, credentials.createInsecure());
    try {
      return (await client.getMetrics(work, '')).metricValues[0]?.metricValueFloat;
    } finally {
      client.close();
    }
  }
}

describe('kill -9', () => {
  it('just after the 202: the item counts after the restart', async () => {
    const serving = await Serving.make();
    const { port } = await serving.start();
    expect(await postEvents(port, workEvent('requested', 'a'))).toBe(202);
    await serving.kill();
    await serving.start();
    expect(await serving.number()).toBe(1);
  });

  it('under load: every event with a 202 counts, once, and no other', async () => {
    const serving = await Serving.make();
    const { port } = await serving.start();
    let accepted = 0;
    let sent = 0;
    const sender = async (name: number): Promise<void> => {
      for (let n = 0; ; n += 1) {
        sent += 1;
        const status = await postEvents(port, workEvent('requested', `${name}-${n}`)).catch(() => 'lost');
        if (status === 'lost') return;
        if (status === 202) accepted += 1;
        if (accepted === 500) void serving.kill();
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, name) => sender(name)));
    await serving.kill();
    await serving.start();
    const number = await serving.number();
    expect(number).toBeGreaterThanOrEqual(accepted);
    expect(number).toBeLessThanOrEqual(sent);
    expect(accepted).toBeGreaterThanOrEqual(500);
  });
});

describe.skipIf(process.platform !== 'linux')('a disk that takes no more', () => {
  const limitFiles = (pid: number | undefined, bytes: string) => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  };

  it('answers 503, keeps what it has, and accepts events again when room is back', async () => {
    const serving = await Serving.make();
    const { port, pid, command } = await serving.start();
    let accepted = 0;
    const send = async (): Promise<number> => {
      const status = await postEvents(port, workEvent('requested', `${accepted}-${'x'.repeat(100)}`));
      if (status === 202) accepted += 1;
      return status;
    };
    expect(await send()).toBe(202);
    limitFiles(pid, '20000');
    let status = 202;
    while (status === 202) status = await send();
    expect(status).toBe(503);
    expect(await send()).toBe(503);
    await command.line(({ msg }) => String(msg).includes('is its disk full?'));
    expect(await serving.number()).toBe(accepted);
    limitFiles(pid, 'unlimited');
    await expect.poll(send, { timeout: 30_000 }).toBe(202);
    expect(await serving.number()).toBe(accepted);
    await serving.kill();
    await serving.start();
    // The failed write may be on disk all the same. Its sender got an error, and sent it again.
    expect(await serving.number()).toBe(accepted);
  }, 60_000);
});
