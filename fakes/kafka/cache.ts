import { accessSync, constants, mkdirSync } from 'node:fs';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const staleLockMs = 5 * 60_000;

/** `.cache/kafka/<key>` of the repository, or below the temp directory if that is not writable. */
export function cacheDirectory(key: string): string {
  const own = fileURLToPath(new URL(`../../.cache/kafka/${key}/`, import.meta.url));
  try {
    mkdirSync(own, { recursive: true });
    accessSync(own, constants.W_OK);
    return own;
  } catch {
    const fallback = join(tmpdir(), 'backlog-scaler-cache', 'kafka', key);
    mkdirSync(fallback, { recursive: true, mode: 0o700 });
    return fallback;
  }
}

/** Runs `work` while no other process does so in the same directory. Takes over the lock of a dead owner. */
export async function locked<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const lock = join(directory, 'lock');
  while (!(await acquire(lock))) {
    if (await abandoned(lock)) await rm(lock, { force: true });
    else await sleep(100);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function acquire(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function abandoned(lock: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lock);
    if (Date.now() - mtimeMs > staleLockMs) return true;
    const pid = Number(await readFile(lock, 'utf8'));
    return pid > 0 && !isAlive(pid);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
