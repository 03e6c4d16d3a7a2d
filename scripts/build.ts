/** Builds `dist`, which the image ships: the command, and the status page. Types are checked by `npm run typecheck`. */
import { cpSync, globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type InputOptions, type OutputOptions, rolldown } from 'rolldown';

const from = new URL('../src/', import.meta.url);
const to = new URL('../dist/', import.meta.url);

/**
 * Stays in node_modules: what has a binary or reads files of its own, what is large and rarely or never needed, what others
 * look for.
 */
const apart = [
  /^classic-level/,
  /^@grpc\//,
  /^grpc-health-check/,
  /^@(?:aws-sdk|smithy)\//,
  /^@opentelemetry\//,
  /^@fastify\/(?:ajv-compiler|fast-json-stringify-compiler)/,
  /^light-my-request/,
];

/** As few and small files as can be: finding a thousand modules is half of the start. Names stay, for stack traces and profiles. */
const output: OutputOptions = { minify: true, keepNames: true, sourcemap: true };

async function bundle(input: string, folder: string, options: InputOptions): Promise<void> {
  const bundled = await rolldown({ input: fileURLToPath(new URL(input, from)), tsconfig: false, ...options });
  await bundled.write({ dir: fileURLToPath(new URL(folder, to)), ...output });
  await bundled.close();
}

// So that nothing finds the output of a deleted file.
rmSync(to, { recursive: true, force: true });
await bundle('main.ts', '.', { platform: 'node', external: apart });
await bundle('admin/page/main.ts', 'admin/page', { platform: 'browser' });
for (const path of globSync('admin/page/*.{html,css,svg}', { cwd: from }))
  cpSync(new URL(path, from), new URL(path, to));
