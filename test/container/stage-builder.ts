import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { assignments, type Instruction, type Stage } from './dockerfile.ts';

const exec = promisify(execFile);

/** Instructions that only say something of the image, which the test reads itself. */
const said = new Set(['LABEL', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD']);

export interface BuiltStage {
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Carries out the stages of a Dockerfile in directories: a stage's root stands for the root of its image. */
export class StageBuilder {
  private readonly built = new Map<string, BuiltStage>();
  private readonly directory: string;
  private readonly context: string;
  private readonly path: string;

  /** `path` is the PATH of RUN, where the base image's Node comes first. */
  constructor(options: { directory: string; context: string; path: string }) {
    this.directory = options.directory;
    this.context = options.context;
    this.path = options.path;
  }

  /** The last stage, the others having been built before it. */
  async build(stages: readonly Stage[]): Promise<BuiltStage> {
    let last: BuiltStage | undefined;
    for (const stage of stages) {
      const name = stage.name ?? 'image';
      last = await this.stage(stage, join(this.directory, name));
      this.built.set(name, last);
    }
    if (last === undefined) throw new Error('no stage');
    return last;
  }

  private async stage(stage: Stage, root: string): Promise<BuiltStage> {
    let state = { root, workdir: '/', env: {}, args: {} };
    mkdirSync(root);
    for (const { name, text } of stage.instructions) {
      if (name === 'WORKDIR') {
        state = { ...state, workdir: text };
        mkdirSync(join(root, text), { recursive: true });
      } else if (name === 'ARG') state = { ...state, args: { ...state.args, ...assignments(text, {}) } };
      else if (name === 'ENV') state = { ...state, env: { ...state.env, ...assignments(text, state.args) } };
      else await this.act({ name, text }, state);
    }
    return state;
  }

  private async act({ name, text }: Instruction, stage: BuiltStage): Promise<void> {
    if (name === 'RUN') await this.run(text, stage);
    else if (name === 'COPY') this.copy(text, stage);
    else if (!said.has(name)) throw new Error(`this builder does not know ${name}`);
  }

  private async run(command: string, { root, workdir, env }: BuiltStage): Promise<void> {
    const { NODE_OPTIONS: _options, NODE_ENV: _env, ...ours } = process.env;
    await exec('nice', ['sh', '-c', command], {
      cwd: join(root, workdir),
      env: { ...ours, ...env, PATH: this.path, npm_config_prefer_offline: 'true' },
    });
  }

  /** As Docker does: of a directory what is in it, of a file the file, into the target with a slash at its end. */
  private copy(text: string, { root, workdir }: BuiltStage): void {
    const [, from, rest = ''] = /^(?:--from=(\S+)\s+)?(.*)$/.exec(text) ?? [];
    const words = rest.split(/\s+/);
    const target = words.pop() ?? '';
    if (!target.endsWith('/')) throw new Error(`COPY ${text}: the target has no slash at its end`);
    const source = from === undefined ? this.context : this.built.get(from)?.root;
    if (source === undefined) throw new Error(`COPY ${text}: no stage of that name before`);
    const into = isAbsolute(target) ? join(root, target) : join(root, workdir, target);
    for (const word of words) {
      const path = join(source, word);
      const named = isDirectory(path) ? into : join(into, basename(path));
      cpSync(path, named, { recursive: true, verbatimSymlinks: true });
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path).isDirectory();
}
