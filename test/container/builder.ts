import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ImageConfig, imageConfig } from './image-config.ts';

const exec = promisify(execFile);
const mostOutputBytes = 16 * 1024 * 1024;

interface Build {
  /** Paths of the Dockerfile, and of the folder that it copies from. */
  readonly file: string;
  readonly context: string;
  readonly tag: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Mounts for a RUN: `path:path in the image`. */
  readonly volumes?: readonly string[];
}

/** Buildah with its own images in a directory. It asks no registry, so only what was built here exists. */
export class Builder {
  private readonly program: string;
  private readonly policy: string;
  private readonly registries: string;
  private readonly env: NodeJS.ProcessEnv;

  constructor(program: string, directory: string) {
    mkdirSync(directory);
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const store = ['graphroot', 'runroot'].map((key) => `${key} = "${join(directory, key)}"`);
    const anything = [{ type: 'insecureAcceptAnything' }];
    this.program = program;
    this.registries = file('registries.conf', 'unqualified-search-registries = []\n');
    this.policy = file(
      'policy.json',
      JSON.stringify({
        default: [{ type: 'reject' }],
        transports: { 'containers-storage': { '': anything } },
      }),
    );
    this.env = {
      ...process.env,
      BUILDAH_ISOLATION: 'chroot',
      CONTAINERS_CONF: file('containers.conf', ''),
      // Without a named driver, Buildah uses overlay if the file system can, and otherwise copies.
      CONTAINERS_STORAGE_CONF: file('storage.conf', ['[storage]', ...store, ''].join('\n')),
      TMPDIR: directory,
    };
  }

  async build({ file, context, tag, args = {}, volumes = [] }: Build): Promise<void> {
    const given = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const mounted = volumes.flatMap((volume) => ['--volume', volume]);
    const policy = ['--pull=never', `--signature-policy=${this.policy}`, '--identity-label=false'];
    await this.buildah('build', ...policy, ...given, ...mounted, '--file', file, '--tag', tag, context);
  }

  async config(tag: string): Promise<ImageConfig> {
    return imageConfig(JSON.parse(await this.buildah('inspect', '--type', 'image', tag)));
  }

  /** The path of the image's root, until `unmount`. */
  async mount(tag: string): Promise<string> {
    const container = await this.buildah('from', '--pull=never', `--signature-policy=${this.policy}`, tag);
    return await this.buildah('mount', container);
  }

  async unmount(): Promise<void> {
    await this.buildah('umount', '--all');
  }

  private async buildah(...args: string[]): Promise<string> {
    const command = [
      this.program,
      '--registries-conf',
      this.registries,
      '--registries-conf-dir',
      '/',
      ...args,
    ];
    const { stdout } = await exec('nice', command, { env: this.env, maxBuffer: mostOutputBytes });
    return stdout.trim();
  }
}
