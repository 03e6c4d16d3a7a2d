import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export type LogFields = Readonly<Record<string, unknown>>;

interface Waiting {
  wanted: (line: LogFields) => boolean;
  found: (line: LogFields) => void;
}

/** The command from its source, as a process of its own. */
export class Command {
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;
  private readonly lines: LogFields[] = [];
  private waiting: Waiting[] = [];

  /** `input` goes to its standard input, which is otherwise empty. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string) {
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.child.stdin?.end(input);
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    if (this.child.stdout) createInterface(this.child.stdout).on('line', (line) => this.read(line));
  }

  /** The first matching JSON line, past or future. Rejects if the process ends without one. */
  line(wanted: (line: LogFields) => boolean): Promise<LogFields> {
    const past = this.lines.find(wanted);
    if (past) return Promise.resolve(past);
    const ended = this.exited.then((code) => {
      throw new Error(`ended with ${code} before the line came\n${this.stdout}${this.stderr}`);
    });
    return Promise.race([ended, new Promise<LogFields>((found) => this.waiting.push({ wanted, found }))]);
  }

  async port(server: 'grpc' | 'admin' | 'ingest'): Promise<number> {
    const line = await this.line((one) => one['msg'] === 'listening' && one['server'] === server);
    return Number(line['port']);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  private read(text: string): void {
    this.stdout += `${text}\n`;
    if (!text.startsWith('{"')) return;
    const line: LogFields = JSON.parse(text);
    this.lines.push(line);
    for (const { found } of this.waiting.filter(({ wanted }) => wanted(line))) found(line);
    this.waiting = this.waiting.filter(({ wanted }) => !wanted(line));
  }
}
