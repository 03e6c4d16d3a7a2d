import { vi } from 'vitest';

/**
 * The least time that a test waits for something, even if it asks for less. Vitest's default of a second is too short on
 * a busy machine. A wait ends as soon as its condition holds.
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
