import { vi } from 'vitest';

/**
 * The least that a test waits for what is to come, whatever it says itself: Vitest's own second is too short for a machine that does
 * other things. What comes is not waited for any longer.
 */
export const patienceMs = 30_000;

const { waitFor } = vi;

// Test files that share a process share `vi`.
if (waitFor.name !== 'patient') {
  vi.waitFor = patient;
}

function patient<T>(callback: () => T | Promise<T>, options?: Parameters<typeof waitFor>[1]): Promise<T> {
  const { timeout, ...rest } = typeof options === 'number' ? { timeout: options } : (options ?? {});
  return waitFor(callback, { ...rest, timeout: Math.max(timeout ?? 0, patienceMs) });
}
