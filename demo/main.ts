import { parseArgs } from 'node:util';
import { ScalerError } from '../src/errors.ts';
import { choices, runDemo } from './run.ts';

const usage = `npm run demo -- [--story ${choices.join('|')}] [--kafka] [--keep]

Shows a burst scale a workload from 0 to 20, with nudges and without; then a backlog wake and size a workload: of an
SQS queue, by hints, and of GitHub Actions jobs, by webhooks.
The exit code is 0 where every promise was kept.

  --kafka        Show it on a real Kafka broker as well (needs Java 17 and Maven; the first run fetches Kafka).
  --story STORY  Show one story alone.
  --keep         Go on running when all is told, until it is interrupted, so that the status pages can be looked at.
  --help         Show this text.
`;

process.exit(await run());

/** SIGINT and SIGTERM end it early, and leave nothing behind. */
async function run(): Promise<number> {
  const { values, fault } = readArguments();
  if (fault !== undefined) {
    process.stderr.write(`${fault}; see npm run demo -- --help\n`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const interrupted = new AbortController();
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(1);
    interrupted.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const choice = { story: values.story, kafka: values.kafka, keep: values.keep };
    return (await runDemo(process.stdout, choice, interrupted.signal)) ? 0 : 1;
  } catch (reason) {
    process.stderr.write(`${ScalerError.from(reason).message}\n`);
    return 1;
  }
}

function readArguments() {
  const options = {
    kafka: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    story: { type: 'string' },
    help: { type: 'boolean', default: false },
  } as const;
  const nothing = { kafka: false, keep: false, help: false, story: undefined };
  try {
    const { values } = parseArgs({ options });
    const { story } = values;
    if (story === undefined || choices.includes(story)) return { values: { ...nothing, ...values } };
    return {
      values: nothing,
      fault: `--story must be one of ${choices.join(', ')}, got ${JSON.stringify(story)}`,
    };
  } catch (reason) {
    return { values: nothing, fault: reason instanceof Error ? reason.message : String(reason) };
  }
}
