import { runDemo } from '../demo/run.ts';
import { ScalerError } from '../errors.ts';
import { type Command, exitCode } from './command.ts';

export const demo: Command = {
  name: 'demo',
  summary: 'Show a backlog wake and size a workload, on a real Kafka broker (needs Java 17 and Maven).',
  options: {},
  run,
};

/** 0 where every promise was kept. SIGINT and SIGTERM end it early, with nothing left behind. */
async function run(): Promise<number> {
  const interrupted = new AbortController();
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(exitCode.failed);
    interrupted.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return (await runDemo(process.stdout, interrupted.signal)) ? exitCode.ok : exitCode.failed;
  } catch (reason) {
    process.stderr.write(`${ScalerError.from(reason).message}\n`);
    return exitCode.failed;
  }
}
