import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `make` if nothing exists at the path. Of several processes one makes it, and the others wait as long as
 * necessary.
 */
export async function madeOnce(path: string, make: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  while (!existsSync(path)) {
    if (!take(lock)) {
      await sleep(500);
      continue;
    }
    try {
      await make();
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

/** Returns whether we have the lock now. A lock whose owner is gone is removed, and tried again in the next round. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (ownerIsGone(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function ownerIsGone(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
