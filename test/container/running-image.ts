import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Launch {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The image's program, with the image's environment only. */
export class RunningImage {
  readonly exited: Promise<number | null>;
  output = '';
  private readonly child: ChildProcess;
  private readonly ports = new Map<string, number>();

  constructor({ command: [program = '', ...args], cwd, env }: Launch) {
    this.child = spawn(program, args, { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    if (this.child.stdout) createInterface(this.child.stdout).on('line', (line) => this.read(line));
  }

  /** The port on which a server listens, by its log. */
  port(server: string): number {
    const port = this.ports.get(server);
    if (port === undefined) throw new Error(`${server} does not listen yet: ${this.output}`);
    return port;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  private read(line: string): void {
    this.output += `${line}\n`;
    if (!line.startsWith('{')) return;
    const fields: Record<string, unknown> = JSON.parse(line);
    if (fields['msg'] === 'listening') this.ports.set(String(fields['server']), Number(fields['port']));
  }
}
