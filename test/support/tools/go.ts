import { tmpdir } from 'node:os';
import { cached } from './cached.ts';
import { run } from './run.ts';
import { ToolMissing } from './tool-missing.ts';

interface GoTool {
  module: string;
  version: string;
  /** The folder of the program in the module. */
  folder: string;
}

/** Pinned, because their output is compared with committed files. */
const tools = {
  'helm-3': { module: 'helm.sh/helm/v3', version: 'v3.22.0', folder: './cmd/helm' },
  'helm-4': { module: 'helm.sh/helm/v4', version: 'v4.3.1', folder: './cmd/helm' },
  'helm-unittest': {
    module: 'github.com/helm-unittest/helm-unittest',
    version: 'v1.1.2',
    folder: './cmd/helm-unittest',
  },
  kubeconform: { module: 'github.com/yannh/kubeconform', version: 'v0.8.0', folder: './cmd/kubeconform' },
  'nats-server': { module: 'github.com/nats-io/nats-server/v2', version: 'v2.15.3', folder: '.' },
  'helm-docs': { module: 'github.com/norwoodj/helm-docs', version: 'v1.14.2', folder: './cmd/helm-docs' },
} as const satisfies Record<string, GoTool>;

export type ToolName = keyof typeof tools;

/**
 * Builds a tool from its Go module and returns the program's path. It is built inside its own module, so that its go.sum
 * and its `replace` lines count: `go install` refuses those of helm-unittest.
 */
export function goTool(name: ToolName): Promise<string> {
  const { module, version, folder } = tools[name];
  return cached({ name, version }, async (unfinished) => {
    await goBuild({ sources: await goModule(module, version), folder, output: unfinished, name });
  });
}

/** The folder of a module's sources, downloaded and verified by Go. */
export async function goModule(module: string, version: string): Promise<string> {
  const args = ['mod', 'download', '-json', `${module}@${version}`];
  const answer: unknown = JSON.parse(await go(args, { cwd: tmpdir(), doing: `fetching ${module}` }));
  if (typeof answer === 'object' && answer !== null && 'Dir' in answer) return String(answer.Dir);
  throw new ToolMissing(`fetching ${module}: Go names no folder`);
}

/** Builds a program without anything that differs between machines. */
export async function goBuild(build: {
  sources: string;
  folder: string;
  output: string;
  name: string;
  /** Strings in the program for the linker to set, by package and name. */
  variables?: Readonly<Record<string, string>>;
}): Promise<void> {
  const set = Object.entries(build.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const flags = ['-mod=readonly', '-buildvcs=false', '-ldflags', ['-s -w', ...set].join(' ')];
  await go(['build', ...flags, '-o', build.output, build.folder], {
    cwd: build.sources,
    doing: `building ${build.name}`,
  });
}

export async function goVersion(): Promise<string> {
  return await run('go', ['version'], { doing: 'looking for Go 1.21 or newer' });
}

export async function go(args: readonly string[], where: { cwd: string; doing: string }): Promise<string> {
  await goVersion();
  return await run('go', args, where);
}
