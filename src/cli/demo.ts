import { choices, runDemo } from '../demo/run.ts';
import { ScalerError } from '../errors.ts';
import { quote } from '../params/printable.ts';
import { type Command, exitCode, type Values } from './command.ts';

export const demo: Command = {
  name: 'demo',
  summary:
    'Show a backlog wake and size a workload: of an SQS queue, by hints, and of GitHub Actions jobs, by webhooks.',
  options: {
    kafka: {
      type: 'boolean',
      doc: 'Show it on a real Kafka broker as well (needs Java 17 and Maven; the first run fetches Kafka).',
    },
    source: {
      type: 'string',
      value: choices.join('|'),
      doc: 'Show one source alone.',
    },
  },
  run,
};

/** 0 where every promise was kept. SIGINT and SIGTERM end it early, with nothing left behind. */
async function run({ source, kafka }: Values): Promise<number> {
  if (source !== undefined && (typeof source !== 'string' || !choices.includes(source))) {
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
    const kept = await runDemo(process.stdout, { source, kafka: kafka === true }, interrupted.signal);
    return kept ? exitCode.ok : exitCode.failed;
  } catch (reason) {
    process.stderr.write(`${ScalerError.from(reason).message}\n`);
    return exitCode.failed;
  }
}
