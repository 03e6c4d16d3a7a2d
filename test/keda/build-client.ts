import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, versionOf } from '../support/tools/cached.ts';
import { go, goBuild, goVersion } from '../support/tools/go.ts';
import { ToolMissing } from '../support/tools/tool-missing.ts';

const sources = fileURLToPath(new URL('.', import.meta.url));

/**
 * Builds KEDA's client from this folder's Go module and returns the program's path. A build of the same sources with the
 * same Go is reused. KEDA's scalers need a thousand packages: the first build on a machine downloads and compiles them
 * for minutes, later ones only link. Throws ToolMissing without Go or the modules.
 */
export async function buildClient(): Promise<string> {
  const inputs = readdirSync(sources).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name));
  const version = versionOf(
    inputs.map((name) => join(sources, name)),
    await goVersion(),
  );
  return await cached({ name: 'keda-client', version }, async (unfinished) => {
    await go(['list', '-deps', '.'], { cwd: sources, doing: "fetching the modules of KEDA's client" });
    try {
      await goBuild({ sources, folder: '.', output: unfinished, name: "KEDA's client" });
    } catch (error) {
      // The modules were found, so the fault is in our own program.
      throw error instanceof ToolMissing ? new Error(error.message) : error;
    }
  });
}
