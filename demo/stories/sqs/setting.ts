import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSqs } from '../../../fakes/sqs/embedded-sqs.ts';
import { type RunningScaler, startScaler } from '../../in-process-scaler.ts';
import type { Telling } from '../../story.ts';
import { Hints } from './hints.ts';
import { OrderQueue } from './order-queue.ts';
import { scenario } from './scenario.ts';

export interface Setting {
  readonly queue: OrderQueue;
  readonly scaler: RunningScaler;
  readonly hints: Hints;
}

/** An SQS in this process with a queue of orders, a scaler that reads it, and hints for its producer to send. */
export async function setUp({ screen, ending }: Pick<Telling, 'screen' | 'ending'>): Promise<Setting> {
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
  screen.event(`SQS's part is played by fauxqs on ${sqs.endpoint}.`);
  screen.event(`The scaler listens on ${scaler.address} and takes hints on ${scaler.ingestUrl}/hint.`);
  screen.page(scaler.pageUrl);
  return { queue, scaler, hints: new Hints(`${scaler.ingestUrl}/hint/demo/${scenario.queue}`, token) };
}
