import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Watchdog } from '../../../fakes/watchdog.ts';
import type { SqsProgram } from './program.ts';

const startLimitMs = 180_000;
const stopLimitMs = 10_000;

/**
 * A running server of SQS in a process of its own. `stop()` leaves no process and no file behind, and neither does a
 * crash.
 */
export class SqsServer {
  readonly program: SqsProgram;
  readonly port: number;
  private readonly child: ChildProcess;
  private readonly directory: string;
  private readonly watchdog: Watchdog;

  /** Resolves when it takes requests. */
  static async start(program: SqsProgram): Promise<SqsServer> {
    const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-sqs-'));
    const logFile = join(directory, 'server.log');
    const log = openSync(logFile, 'a');
    const child = spawn(program.command, program.args, { stdio: ['ignore', log, log] });
    closeSync(log);
    const watchdog = new Watchdog(directory);
    if (child.pid !== undefined) watchdog.guard([child.pid]);
    try {
      const port = await listeningPort(program, child, logFile);
      return new SqsServer(program, port, { child, directory, watchdog });
    } catch (error) {
      await end(child);
      await watchdog.end();
      throw error;
    }
  }

  private constructor(
    program: SqsProgram,
    port: number,
    own: { child: ChildProcess; directory: string; watchdog: Watchdog },
  ) {
    this.program = program;
    this.port = port;
    this.child = own.child;
    this.directory = own.directory;
    this.watchdog = own.watchdog;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    await end(this.child);
    await this.watchdog.end();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function listeningPort(program: SqsProgram, child: ChildProcess, logFile: string): Promise<number> {
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    const log = await readFile(logFile, 'utf8');
    const [, port] = program.listening.exec(log) ?? [];
    if (port !== undefined) return Number(port);
    if (failed || child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${program.name} did not start: ${failed?.message ?? log}`);
    await sleep(50);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await gone;
  clearTimeout(force);
}
