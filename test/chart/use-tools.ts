import { beforeAll, beforeEach } from 'vitest';
import { goTool, type ToolName, ToolUnavailable } from '../support/go-tools.ts';

/** Helm alone has some hundred packages. */
const buildLimitMs = 15 * 60_000;

/**
 * Gives a function that tells where a tool is. Where one cannot be had the tests of the file are skipped and
 * the reason is printed; where `CI` is set they fail.
 */
export function useTools<Name extends ToolName>(...names: Name[]): (name: Name) => string {
  const paths = new Map<Name, string>();
  useMade(async () => {
    for (const name of names) paths.set(name, await goTool(name));
  });
  return (name) => paths.get(name) ?? '';
}

/** The same for anything that is made with tools. */
export function useMade(make: () => Promise<void>): void {
  let missing: string | undefined;

  beforeAll(async () => {
    try {
      await make();
    } catch (error) {
      const inCi = !['', 'false', undefined].includes(process.env['CI']);
      if (inCi || !(error instanceof ToolUnavailable)) throw error;
      missing = error.message;
      console.warn(`skipped, a tool cannot be had: ${missing}`);
    }
  }, buildLimitMs);

  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
}
