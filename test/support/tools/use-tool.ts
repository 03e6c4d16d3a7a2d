import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { Forbidden } from './forbidden.ts';
import { ToolMissing } from './tool-missing.ts';
import type { ToolName, ToolOf } from './toolbox.ts';

interface Use<T> {
  readonly end?: (tool: T) => Promise<void> | void;
}

/** Hooks may start a server or build an image, which have limits of their own. */
const noLimitMs = 0;

/**
 * The tool that was set up under this name before the first test. Throws ToolMissing or Forbidden if it is not
 * available. Write the name in the call itself, because needed.ts reads it there.
 */
export async function tool<Name extends ToolName>(name: Name): Promise<ToolOf<Name>> {
  const outcome = inject('tools')[name];
  if (outcome === undefined) throw new Error(`the tool ${name} was not set up: see toolsNeededBy`);
  switch (outcome.kind) {
    case 'found':
      // The name determines the type, which is lost between processes.
      return outcome.tool as ToolOf<Name>;
    case 'missing':
      throw new ToolMissing(outcome.reason);
    case 'forbidden':
      throw new Forbidden(outcome.reason);
    case 'failed':
      throw new Error(outcome.reason);
  }
}

/**
 * Finds something from outside before the tests of a file or `describe`. Returns a function that tests call to get it.
 * If it is missing, the tests are skipped and the reason is printed. With `CI` set they fail, so that a run cannot pass
 * by skipping. What the machine forbids is always skipped, because installing would not help.
 */
export function useTool<T>(find: () => Promise<T>, { end }: Use<T> = {}): () => T {
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
  }, noLimitMs);

  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });

  afterAll(async () => {
    if (found) await end?.(found.tool);
  }, noLimitMs);

  return () => {
    if (found === undefined) throw new Error('what useTool finds is there inside tests only');
    return found.tool;
  };
}

/** Several tools by name. Tests call the returned function to get them. */
export function useTools<Name extends ToolName>(
  ...names: Name[]
): <One extends Name>(name: One) => ToolOf<One> {
  const found = useTool(async () => {
    const tools = new Map<Name, unknown>();
    for (const name of names) tools.set(name, await tool(name));
    return tools;
  });
  return <One extends Name>(name: One) => found().get(name) as ToolOf<One>;
}
