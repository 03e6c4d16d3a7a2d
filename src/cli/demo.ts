import { choices, runDemo } from '../demo/run.ts';
import { ScalerError } from '../errors.ts';
import { quote } from '../params/values.ts';
import { type Command, exitCode, type Values } from './command.ts';

export const demo: Command = {
  name: 'demo',
  summary:
    'Show a backlog wake and size a workload: on a real Kafka broker (needs Java 17 and Maven), and by GitHub webhooks.',
  options: {
    source: {
      type: 'string',
      value: choices.join('|'),
      doc: 'The source to show; all of them by default, without Kafka where Java or Maven is missing.',
    },
  },
  run,
};

/** 0 where every promise was kept. SIGINT and SIGTERM end it early, with nothing left behind. */
async function run({ source = 'all' }: Values): Promise<number> {
  if (typeof source !== 'string' || !choices.includes(source)) {
    process.stderr.write(`--source must be one of ${choices.join(', ')}, got ${quote(String(source))}\n`);
    return exitCode.invalid;
  }
  const interrupted = new AbortController();
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(exitCode.failed);
    interrupted.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return (await runDemo(process.stdout, source, interrupted.signal)) ? exitCode.ok : exitCode.failed;
  } catch (reason) {
    process.stderr.write(`${ScalerError.from(reason).message}\n`);
    return exitCode.failed;
  }
}
