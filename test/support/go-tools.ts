import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from './made-once.ts';

/** Where tools, and what is made with them, stay between runs. */
export const toolsCache = fileURLToPath(new URL('../../.cache/tools/', import.meta.url));
const progressMs = 10_000;

interface GoTool {
  module: string;
  version: string;
  /** The folder of the program in the module. */
  folder: string;
}

/** Pinned: what they print is compared with what is committed. */
const tools = {
  'helm-3': { module: 'helm.sh/helm/v3', version: 'v3.22.0', folder: './cmd/helm' },
  'helm-4': { module: 'helm.sh/helm/v4', version: 'v4.3.1', folder: './cmd/helm' },
  'helm-unittest': {
    module: 'github.com/helm-unittest/helm-unittest',
    version: 'v1.1.2',
    folder: './cmd/helm-unittest',
  },
  kubeconform: { module: 'github.com/yannh/kubeconform', version: 'v0.8.0', folder: './cmd/kubeconform' },
  'helm-docs': { module: 'github.com/norwoodj/helm-docs', version: 'v1.14.2', folder: './cmd/helm-docs' },
} as const satisfies Record<string, GoTool>;

export type ToolName = keyof typeof tools;

/** Why a tool cannot be had on this machine, for a reason that is not the repository's. */
export class ToolUnavailable extends Error {
  override readonly name = 'ToolUnavailable';
}

/**
 * Builds a tool out of its Go module and returns the program's path. It is built in its own module, so that
 * its go.sum and its `replace` lines hold: `go install` refuses those of helm-unittest.
 */
export function goTool(name: ToolName): Promise<string> {
  const { module, version, folder } = tools[name];
  return made(`${name}-${version}`, async (unfinished) => {
    const sources = await goModule(module, version);
    const args = ['build', '-buildvcs=false', '-ldflags', '-s -w', '-o', unfinished, folder];
    const { failed, output } = await go(args, { cwd: sources, doing: `building ${name}` });
    if (failed) throw new ToolUnavailable(`${name} ${version} does not build: ${output}`);
  });
}

/** The folder of a module's sources, downloaded and checked by Go. */
export async function goModule(module: string, version: string): Promise<string> {
  const args = ['mod', 'download', '-json', `${module}@${version}`];
  const { failed, output } = await go(args, { cwd: tmpdir(), doing: `fetching ${module}` });
  const answer: unknown = failed ? undefined : JSON.parse(output);
  if (typeof answer === 'object' && answer !== null && 'Dir' in answer) return String(answer.Dir);
  throw new ToolUnavailable(`the Go module ${module} cannot be fetched: ${output}`);
}

/**
 * The path of what `make` makes under a name that says its version, or of what was made before. Of several
 * callers one makes it and the others wait.
 */
export async function made(name: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  const path = join(toolsCache, name);
  mkdirSync(toolsCache, { recursive: true });
  await madeOnce(path, async () => {
    const unfinished = `${path}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    await make(unfinished);
    renameSync(unfinished, path);
  });
  return path;
}

/** Runs the go command at low priority and says every ten seconds that it does. */
async function go(
  args: readonly string[],
  { cwd, doing }: { cwd: string; doing: string },
): Promise<{ failed: boolean; output: string }> {
  if (spawnSync('go', ['version']).status !== 0)
    throw new ToolUnavailable('Go is missing: install Go 1.21 or newer');
  const flags = [process.env['GOFLAGS'], args[0] === 'build' ? '-mod=readonly' : '']
    .filter(Boolean)
    .join(' ');
  const child = spawn('go', args, {
    cwd,
    env: { ...process.env, GOFLAGS: flags },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) setPriority(child.pid, 10);
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = `${complaints}${text}`.slice(-2000);
  });
  const startedAt = Date.now();
  const progress = setInterval(() => {
    console.info(`${doing}: ${Math.round((Date.now() - startedAt) / 1000)} s (minutes on a fresh machine)`);
  }, progressMs);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return code === 0 ? { failed: false, output } : { failed: true, output: output + complaints };
  } finally {
    clearInterval(progress);
  }
}
