import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LevelStore } from '../../../src/event-log/level-store.ts';
import { age, agedEventDir, followed, inbound, openLog } from '../../support/event-store.ts';
import { recordingLog } from '../../support/recording-log.ts';

const events = 600;

/** An old, closed log with this many events of `ci`, and one of `other`. */
async function filled(): Promise<string> {
  const dir = await agedEventDir('ci', 'other');
  const { events: log } = await openLog({ dir });
  // One write each, as events come.
  for (let n = 1; n <= events; n += 1) await log.append(inbound(n));
  await log.append(inbound(1, 'other'));
  await log.close();
  return dir;
}

async function reopened(dir: string, connection = 'ci') {
  const log = recordingLog();
  const { events } = await openLog({ dir, log });
  const { facts, replayed } = followed(events.feedOf(connection));
  await replayed;
  const since = events.feedOf(connection).keptSince();
  await events.close();
  const said = log.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  return { facts, since, said };
}

/** LevelDB's write-ahead log. */
async function walOf(dir: string): Promise<string> {
  const name = (await readdir(dir)).find((one) => one.endsWith('.log'));
  if (name === undefined) throw new Error('there is no write-ahead log');
  return join(dir, name);
}

async function change(file: string, how: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(file);
  how(bytes);
  await writeFile(file, bytes);
}

const damaged = { atMs: expect.any(Number), because: 'damaged' };

describe('a log that is whole', () => {
  it('is not reported as damaged, whoever reads it', async () => {
    const dir = await filled();
    for (const connection of ['ci', 'other', 'ci']) {
      const { since, said } = await reopened(dir, connection);
      expect([since.because, said]).toEqual(['new', []]);
      expect(Date.now() - since.atMs).toBeGreaterThan(365 * 86_400_000);
    }
  });

  it('has them since now, if it is new or lost', async () => {
    const beforeMs = Date.now() - 1;
    const { since } = await reopened(await agedEventDir());
    expect([since.because, since.atMs > beforeMs]).toEqual(['new', true]);
  });
});

describe('damage is logged, once, and makes kept events unknown', () => {
  it.each([0.3, 0.5, 0.9])('one flipped bit, at %f of the write-ahead log', async (place) => {
    const dir = await filled();
    await change(await walOf(dir), (bytes) => {
      const at = Math.floor(bytes.length * place);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    });
    const first = await reopened(dir);
    expect(first.facts.length).toBeLessThan(events);
    expect(first.said).toEqual([expect.stringContaining('the event log is damaged')]);
    expect(first.since).toEqual(damaged);
    // The next start already knows about the damage, and since when.
    const again = await reopened(dir);
    expect([again.said, again.since]).toEqual([[], first.since]);
  });

  it('a write-ahead log of zeros: of every connection', async () => {
    const dir = await filled();
    await change(await walOf(dir), (bytes) => bytes.fill(0));
    const { facts, since, said } = await reopened(dir);
    expect([facts, said]).toEqual([[], [expect.stringContaining('events that were written are missing')]]);
    // Its head is lost as well, so it counts as new.
    expect(Date.now() - since.atMs).toBeLessThan(60_000);
  });

  it('a write-ahead log that was cut short', async () => {
    const dir = await filled();
    const wal = await walOf(dir);
    await truncate(wal, Math.floor((await readFile(wal)).length / 2));
    const { facts, since, said } = await reopened(dir);
    expect(facts.length).toBeLessThan(events);
    expect([since, said]).toEqual([
      damaged,
      [expect.stringContaining('events that were written are missing')],
    ]);
    expect((await reopened(dir, 'other')).since.atMs).toBeGreaterThan(Date.now() - 60_000);
  });

  it('the count beside it is missing, or damaged', async () => {
    const dir = await filled();
    await writeFile(join(dir, 'written'), 'x');
    expect((await reopened(dir)).since).toEqual(damaged);
    expect((await reopened(dir)).said).toEqual([]);
  });

  it.each([
    ['whose text was changed', (text: string) => text.replace('queued', 'Queued')],
    ['that is not whole', (text: string) => text.slice(0, 30)],
    ['of another connection', (text: string) => text.replace('"ci"', '"co"')],
  ])('an entry %s; others stay whole', async (_, changed) => {
    const dir = await filled();
    const store = new LevelStore(dir);
    await store.open();
    for await (const [entry] of store.read('ci', 299, 300)) {
      if (entry === undefined) throw new Error('it is not there');
      await store.put([{ ...entry, text: changed(entry.text) }]);
    }
    const last = { connection: 'ci', sequence: events, text: '' };
    for await (const [entry] of store.read('ci', events - 1, events)) if (entry) last.text = entry.text;
    await store.put([last]);
    await store.close();
    const { facts, since, said } = await reopened(dir);
    expect([facts.length, since, said.length]).toEqual([events - 1, damaged, 1]);
    expect((await reopened(dir, 'other')).since.because).toBe('new');
    await age(dir, ['ci']);
    expect((await reopened(dir)).since.because).toBe('new');
  });

  it('a damaged entry that is old enough to be removed is still damage', async () => {
    const dir = await agedEventDir('ci');
    const { events: log, store } = await openLog({ dir });
    await log.append(inbound(1));
    await store.put([{ connection: 'ci', sequence: 1, text: 'x' }]);
    await log.close();
    expect(await reopened(dir)).toMatchObject({ facts: [], since: damaged });
  });
});
