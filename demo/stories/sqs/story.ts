import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingSqs, startSqs } from '../../../fakes/sqs/embedded-sqs.ts';
import { BacklogSampler } from '../../backlog-sampler.ts';
import { startScaler } from '../../in-process-scaler.ts';
import { Stage } from '../../stage.ts';
import type { Story, Telling } from '../../story.ts';
import { type Summary, summarize, type Words } from '../../summary.ts';
import { Workers } from '../../workers.ts';
import { Hints } from './hints.ts';
import { OrderQueue } from './order-queue.ts';
import { play } from './plot.ts';
import { burst, scenario } from './scenario.ts';

const words: Words = { waker: 'the hint', counted: 'it was posted', upstream: 'SQS' };

/** An SQS in this process, and workers that are as many as KEDA says. */
export const sqsStory: Story = {
  source: 'sqs',
  fullBar: burst,
  missing: () => missingSqs(),
  tell,
};

async function tell(telling: Telling): Promise<Summary> {
  const { screen, ending } = telling;
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-sqs-'));
  ending.push(() => rm(directory, { recursive: true, force: true }));
  const sqs = await startSqs();
  ending.push(() => sqs.close());
  const queue = new OrderQueue(sqs.endpoint, (error) =>
    screen.event(`a worker failed: ${error instanceof Error ? error.message : error}`),
  );
  ending.push(() => queue.close());
  await queue.create();
  const token = randomBytes(32).toString('hex');
  await writeFile(join(directory, 'producer-token'), token, { mode: 0o600 });
  const scaler = await startScaler({
    directory,
    connection: {
      source: 'sqs',
      region: scenario.region,
      endpoint: sqs.endpoint,
      credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' },
    },
    ingestTokens: [{ name: 'producer', tokenFile: 'producer-token', connections: ['demo'] }],
  });
  ending.push(() => scaler.stop());
  const hints = new Hints(`${scaler.ingestUrl}/hint/demo/${scenario.queue}`, token);
  screen.event(`SQS's part is played by fauxqs on ${sqs.endpoint}.`);
  screen.event(`The scaler listens on ${scaler.address} and takes hints on ${scaler.ingestUrl}/hint.`);

  const workload = new Workers(queue, 'worker');
  ending.push(() => workload.close());
  const backlog = new BacklogSampler(() => queue.open());
  ending.push(() => backlog.close());
  const reference = {
    namespace: 'demo',
    name: 'order-workers',
    scalerMetadata: {
      source: 'sqs',
      queueURL: scenario.queue,
      queueLength: String(scenario.queueLength),
    },
  };
  const { address } = scaler;
  const { maxReplicaCount } = scenario;
  const stage = new Stage({ address, reference, workload, backlog, maxReplicaCount }, telling);
  const { outcome, further } = await play({ stage, queue, hints, backlog });
  const [rpcsAnswered, requestsSent] = await Promise.all([scaler.rpcsAnswered(), scaler.requestsSent()]);
  return summarize({ ...outcome, rpcsAnswered, requestsSent }, words, further);
}
