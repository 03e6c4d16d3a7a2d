import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScalerProcess, type Start } from './scaler.ts';

const command = 'backlog-scaler';

/** A checkout of this repository with a built command, to start and measure. */
export class Checkout {
  /** Its name in the report, with its commit if known. */
  readonly name: string;
  /** Whether this bench is part of it. */
  readonly own: boolean;
  private readonly program: string;

  static own(): Checkout {
    return new Checkout(fileURLToPath(new URL('../../', import.meta.url)), true);
  }

  /** Throws if the directory has no built command. */
  static at(directory: string): Checkout {
    return new Checkout(resolve(directory), false);
  }

  private constructor(directory: string, own: boolean) {
    this.own = own;
    const commit = commitOf(directory);
    this.name = own ? ['this checkout', ...(commit ? [commit] : [])].join(', ') : (commit ?? directory);
    this.program = join(directory, programOf(directory));
    if (!existsSync(this.program))
      throw new Error(`${this.program} is not there: run \`npm ci && npm run build\` in ${directory}`);
  }

  /** Starts a scaler that reads Kafka. Resolves when it is ready. */
  start(bootstrapServers: readonly string[], options: Omit<Start, 'program'> = {}): Promise<ScalerProcess> {
    return this.serve({ connections: { bench: { source: 'kafka', bootstrapServers } } }, options);
  }

  /** Starts a scaler with these settings, but our hosts and ports. Resolves when it is ready. */
  serve(settings: object, options: Omit<Start, 'program'> = {}): Promise<ScalerProcess> {
    return ScalerProcess.serve(settings, { ...options, program: this.program });
  }
}

function programOf(directory: string): string {
  const manifest: { bin?: Record<string, string> } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  const program = manifest.bin?.[command];
  if (program === undefined) throw new Error(`${directory} is no checkout of ${command}`);
  return program;
}

function commitOf(directory: string): string | undefined {
  try {
    const args = ['-C', directory, 'describe', '--always', '--dirty', '--exclude=*'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
