import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { locked } from '../../../../fakes/kafka/cache.ts';

describe('locked', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside--;
    };
    await Promise.all([locked(directory, work), locked(directory, work), locked(directory, work)]);
    expect(most).toBe(1);
  });

  it('lets go when the work fails', async () => {
    await expect(locked(directory, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(directory)).toEqual([]);
  });

  it('takes over from a dead process', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await writeFile(join(directory, 'lock'), String(pid));
    expect(await locked(directory, async () => 'done')).toBe('done');
  });
});
