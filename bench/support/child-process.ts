import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { imageEnvironment, imageNodeOptions } from '../../test/container/image-environment.ts';
import { cpuSeconds, residentMiB } from './process-usage.ts';

/** Catches only what hangs, since a busy machine may be slow. */
const startLimitMs = 120_000;
const stopLimitMs = 15_000;
const askLimitMs = 30_000;
const linesKept = 20;
/** Plain JavaScript. Stripping the types of TypeScript would add 20 MiB to the measured process. */
const probe = new URL('./probe.mjs', import.meta.url).href;

export interface ProcessOptions {
  /** Whether it answers `longestTurn` and `collected`. */
  readonly probed?: boolean;
  /** Modules to load before the program, as URLs. */
  readonly preload?: readonly string[];
  /** A file to which its output is appended. */
  readonly log?: string;
}

/** A turn of an event loop: its time by the clock, and the work of its thread. */
export interface Turn {
  readonly ms: number;
  readonly cpuMs: number;
}

export function turnInWords({ ms, cpuMs }: Turn): string {
  return `${cpuMs.toFixed(0)} ms of work, ${ms.toFixed(0)} by the clock`;
}

/** A Node program under measurement, in a process of its own. A line of its output says that it is ready. */
export class NodeProcess {
  readonly pid: number;
  /** Resolves when it has ended, with its exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;
  private readonly lines: string[] = [];
  private onLine: (line: string) => void = () => {};

  constructor(args: readonly string[], { probed = false, preload = [], log }: ProcessOptions = {}) {
    const imports = [...(probed ? [probe] : []), ...preload].flatMap((module) => ['--import', module]);
    this.child = spawn(process.execPath, [...imageNodeOptions(), ...imports, ...args], {
      env: { ...process.env, ...imageEnvironment() },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { pid, stdout, stderr } = this.child;
    if (pid === undefined || !stdout || !stderr) throw new Error(`cannot start node ${args.join(' ')}`);
    this.pid = pid;
    for (const stream of [stdout, stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        if (this.lines.length > linesKept) this.lines.shift();
        if (log !== undefined) appendFileSync(log, `${line}\n`);
        this.onLine(line);
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
    });
    process.once('exit', this.forceEnd);
  }

  /** Resolves after the first line of output for which `seen` returns true. */
  async until(seen: (line: string) => boolean): Promise<void> {
    const waiting = new AbortController();
    const limit = AbortSignal.any([AbortSignal.timeout(startLimitMs), waiting.signal]);
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`the process did not become ready:\n${this.lines.join('\n')}`));
      limit.addEventListener('abort', fail);
      this.child.once('exit', fail);
      this.onLine = (line) => {
        if (seen(line)) resolve();
      };
    });
    this.onLine = () => {};
    waiting.abort();
  }

  /** Sends a message to the program, which gets it by `process.on('message')`. */
  tell(message: object): void {
    this.child.send(message);
  }

  /** The longest turn of its event loop since the last call. See probe.mjs. */
  async longestTurn(): Promise<Turn> {
    const { longestMs = Number.NaN, longestCpuMs = Number.NaN } = await this.ask('turns');
    return { ms: longestMs, cpuMs: longestCpuMs };
  }

  /** The part of the time that garbage collection took, and how late timers were, since the last call. See probe.mjs. */
  async load(): Promise<{ readonly gcShare: number; readonly tickP99Ms: number }> {
    const { gcShare = Number.NaN, tickP99Ms = Number.NaN } = await this.ask('load');
    return { gcShare, tickP99Ms };
  }

  /** Collects garbage, and returns the remaining bytes. See probe.mjs. */
  async collected(): Promise<{ readonly heapBytes: number; readonly residentBytes: number }> {
    const { heapBytes = Number.NaN, residentBytes = Number.NaN } = await this.ask('memory');
    return { heapBytes, residentBytes };
  }

  /** How many sockets, servers and timers keep its event loop alive. See probe.mjs. */
  async handles(): Promise<number> {
    return (await this.ask('handles'))['handles'] ?? Number.NaN;
  }

  private async ask(what: string): Promise<Readonly<Record<string, number>>> {
    const answered = once(this.child, 'message', { signal: AbortSignal.timeout(askLimitMs) });
    this.child.send({ ask: what });
    const [answer]: Record<string, number>[] = await answered;
    return answer ?? {};
  }

  cpuSeconds(): Promise<number> {
    return cpuSeconds(this.pid);
  }

  residentMiB(): Promise<number> {
    return residentMiB(this.pid);
  }

  /** Sends SIGKILL, and resolves when it is gone. */
  async kill(): Promise<void> {
    process.removeListener('exit', this.forceEnd);
    this.forceEnd();
    await this.ended;
  }

  /** Sends SIGTERM, and SIGKILL if that does not help. */
  async stop(): Promise<void> {
    process.removeListener('exit', this.forceEnd);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const force = setTimeout(this.forceEnd, stopLimitMs);
    await this.ended;
    clearTimeout(force);
  }

  private readonly forceEnd = (): void => {
    this.child.kill('SIGKILL');
  };
}
