import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../../support/command.ts';
import { ConfigFolder } from '../../support/config-folder.ts';
import { age } from '../../support/event-store.ts';
import { ingest, postEvents, structured, workEvent, workItems } from '../../support/events/event-posts.ts';
import { cdEvent } from '../../support/events/senders.ts';
import { ref, TestClient } from '../../support/rpc-client.ts';

const server = { host: '127.0.0.1', port: 0 };
const builds = {
  source: 'events',
  ttlSeconds: 3600,
  items: workItems,
  presets: [{ preset: 'cdevents-pipelinerun', backlog: 'runs' }],
};
const settings = { grpc: server, admin: server, ingest, eventLog: { type: 'file', dir: 'events' } };

/** `serve` as a process of its own over a folder. */
async function serve(folder: ConfigFolder) {
  await folder.write('config.yaml', stringify({ ...settings, connections: { builds } }));
  const command = new Command(['serve', '--config', folder.file]);
  const stop = async () => {
    command.signal('SIGKILL');
    await command.exited;
  };
  onTestFinished(stop);
  await command.line(({ msg }) => msg === 'ready');
  const client = new TestClient(`127.0.0.1:${await command.port('grpc')}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const trigger = (backlog: string) => ref('agents', { source: 'events', backlog });
  const number = async (backlog: string) =>
    (await client.getMetrics(trigger(backlog), '')).metricValues[0]?.metricValueFloat;
  const active = async (backlog: string) => (await client.isActive(trigger(backlog))).result;
  const port = await command.port('ingest');
  const post = async (...events: readonly object[]) => {
    for (const event of events) expect(await postEvents(port, event)).toBe(202);
  };
  return { command, stop, number, active, post };
}

async function folderWithLog(ageMs?: number): Promise<ConfigFolder> {
  const folder = await ConfigFolder.make();
  onTestFinished(() => folder.remove());
  if (ageMs !== undefined) await age(join(folder.path, 'events'), ['builds'], ageMs);
  return folder;
}

describe('a new log, as after a pod has moved without its volume', () => {
  it('never reads as zero before ttlSeconds have passed, but new items are active', async () => {
    const folder = await folderWithLog();
    const first = await serve(folder);
    await expect(first.number('work')).rejects.toThrow(/UNAVAILABLE.*new to this connection/);
    await first.post(workEvent('requested', 'a'));
    expect(await first.active('work')).toBe(true);
    await expect(first.number('work')).rejects.toThrow(/UNAVAILABLE/);
    await first.stop();
    // It knows its birth. A restart does not forget it, nor count from its own time.
    const again = await serve(folder);
    await expect(again.number('work')).rejects.toThrow(/UNAVAILABLE.*new to this connection/);
    await again.stop();
    await age(join(folder.path, 'events'), ['builds'], 3_600_000);
    expect(await (await serve(folder)).number('work')).toBe(1);
  });
});

describe('a damaged log', () => {
  it('is reported, and its number is unknown', async () => {
    const folder = await folderWithLog(86_400_000);
    const first = await serve(folder);
    await first.post(workEvent('requested', 'a'), workEvent('requested', 'b'));
    expect(await first.number('work')).toBe(2);
    await first.stop();
    const dir = join(folder.path, 'events');
    for (const name of await readdir(dir)) {
      if (!name.endsWith('.log')) continue;
      const bytes = await readFile(join(dir, name));
      await writeFile(join(dir, name), bytes.fill(0));
    }
    const { command, number } = await serve(folder);
    await command.line(({ level, msg }) => level === 'error' && String(msg).includes('is damaged'));
    await expect(number('work')).rejects.toThrow(/UNAVAILABLE/);
  });
});

describe('items', () => {
  it('of two sources with one ID are two: the end of one does not end the other', async () => {
    const { post, number } = await serve(await folderWithLog(86_400_000));
    const event = (word: string, source: string) => ({
      ...structured(cdEvent('pipelinerun', word)),
      id: `${word}-${source}`,
      source,
      data: { context: { source }, subject: { id: 'nightly-42', type: 'pipelineRun', content: {} } },
    });
    await post(event('started.0.2.0', '/a'), event('started.0.2.0', '/b'));
    expect(await number('runs')).toBe(2);
    await post(event('finished.0.2.0', '/a'));
    expect(await number('runs')).toBe(1);
  });

  it('from an archive that is sent again later are not opened', async () => {
    const { post, number, command } = await serve(await folderWithLog(86_400_000));
    const at = (agoMs: number) => ({ time: new Date(Date.now() - agoMs).toISOString() });
    await post({ ...workEvent('requested', 'old'), ...at(3_700_000) });
    expect(await number('work')).toBe(0);
    await command.line(({ level, msg }) => level === 'warn' && String(msg).includes('ttlSeconds ago'));
    await post({ ...workEvent('requested', 'new'), ...at(3_500_000) });
    expect(await number('work')).toBe(1);
  });
});
