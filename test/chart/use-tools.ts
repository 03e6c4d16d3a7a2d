import { goBuildLimitMs, goTool, type ToolName } from '../support/tools/go.ts';
import { useTool } from '../support/tools/use-tool.ts';

/** Gives a function that tells, inside tests, where a tool is: see `useTool`. */
export function useTools<Name extends ToolName>(...names: Name[]): (name: Name) => string {
  const paths = useTool(
    async () => {
      const found = new Map<Name, string>();
      for (const name of names) found.set(name, await goTool(name));
      return found;
    },
    { limitMs: goBuildLimitMs },
  );
  return (name) => paths().get(name) ?? '';
}
