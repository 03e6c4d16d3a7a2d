import { afterAll, beforeAll, beforeEach } from 'vitest';
import { Forbidden } from './forbidden.ts';
import { ToolMissing } from './tool-missing.ts';

interface Use<T> {
  /** The first time on a machine it is fetched, or built. */
  readonly limitMs: number;
  readonly end?: (tool: T) => Promise<void> | void;
}

/**
 * Finds, before the tests of a file or `describe`, something from outside that they need, and gives a function that
 * tells it inside them. Where it is missing the tests are skipped and the reason is printed; where `CI` is set they
 * fail, so that a run cannot pass by skipping. What the machine forbids is skipped there as well: installing would not help.
 */
export function useTool<T>(find: () => Promise<T>, { limitMs, end }: Use<T>): () => T {
  let found: { readonly tool: T } | undefined;
  let missing: string | undefined;

  beforeAll(async () => {
    try {
      found = { tool: await find() };
    } catch (error) {
      const inCi = !['', 'false', undefined].includes(process.env['CI']);
      const toSkip = error instanceof Forbidden || (!inCi && error instanceof ToolMissing);
      if (!toSkip) throw error;
      missing = error.message;
      console.warn(`skipped: ${missing}`);
    }
  }, limitMs);

  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });

  afterAll(async () => {
    if (found) await end?.(found.tool);
  }, limitMs);

  return () => {
    if (found === undefined) throw new Error('what useTool finds is there inside tests only');
    return found.tool;
  };
}
