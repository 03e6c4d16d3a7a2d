import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends servers and removes their files if this process dies without a chance to. It reads pids from its standard input,
 * which closes whatever kills us.
 */
const script = `
dir=$1
while IFS= read -r line; do pids=$line; done
[ -n "$pids" ] || exit 0
kill -KILL $pids
rm -rf -- "$dir"
`;

export class Watchdog {
  private readonly child: ChildProcess;

  constructor(directory: string) {
    this.child = spawn('/bin/sh', ['-c', script, 'watchdog', directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.child.unref();
    this.child.on('error', () => {});
    this.child.stdin?.on('error', () => {});
  }

  /** The processes to end, in place of earlier ones. */
  guard(pids: readonly number[]): void {
    this.child.stdin?.write(`${pids.join(' ')}\n`);
  }

  /** Nothing is left to guard. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.ref();
    this.child.stdin?.end('\n');
    await gone;
  }
}
