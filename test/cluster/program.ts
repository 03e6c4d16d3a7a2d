import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Watchdog } from '../../fakes/watchdog.ts';

const startLimitMs = 90_000;
const stopLimitMs = 5_000;

interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Its whole environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/**
 * A program that runs beside the tests. If this process is killed, the program ends, and its folder with the log is
 * removed.
 */
export class Program {
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;
  private readonly logFile: string;
  private readonly watchdog: Watchdog;

  constructor({ command, args, logFile, env = process.env, cwd }: Start) {
    const log = openSync(logFile, 'a');
    this.logFile = logFile;
    this.child = spawn(command, args, { env, cwd, stdio: ['ignore', log, log] });
    closeSync(log);
    this.watchdog = new Watchdog(dirname(logFile));
    if (this.child.pid !== undefined) this.watchdog.guard([this.child.pid]);
    this.exited = new Promise((resolve) => {
      this.child.once('exit', resolve).once('error', () => resolve(null));
    });
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until `check` no longer throws. Rejects with the end of the log if the program ends first. */
  async ready(check: () => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + startLimitMs;
    for (;;) {
      try {
        await check();
        return;
      } catch (error) {
        if (!this.running || performance.now() > deadline)
          throw new Error(`${this.child.spawnfile} did not start: ${error}\n${this.log().slice(-3000)}`);
      }
      await sleep(100);
    }
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Ends it at once, without time for last words. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.stop();
  }

  async stop(): Promise<void> {
    if (this.running) {
      this.child.kill('SIGTERM');
      const force = setTimeout(() => this.child.kill('SIGKILL'), stopLimitMs);
      await this.exited;
      clearTimeout(force);
    }
    await this.watchdog.end();
  }
}
