import { setTimeout as sleep } from 'node:timers/promises';
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { credentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { startSqs } from '../../fakes/sqs/embedded-sqs.ts';
import { fineMs } from '../../src/triggers/history.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { scaledObject } from '../support/explain.ts';
import { TestClient } from '../support/rpc-client.ts';
import { sdkClient } from '../support/sqs/client.ts';
import { region } from '../support/sqs/region.ts';

const server = { host: '127.0.0.1', port: 0 };
const metadata = { source: 'sqs', connection: 'jobs', queueURL: 'thumbnails', queueLength: '2' };
const rows = z.object({ triggers: z.array(z.object({ id: z.string() })) });
const recorded = z.looseObject({ points: z.array(z.looseObject({ backlog: z.number().nullable() })) });
const played = z.looseObject({
  history: z.looseObject({ seconds: z.number(), items: z.number() }),
  settings: z.array(z.looseObject({ name: z.string() })),
});

it('simulate plays the record of a running scaler, as JSON and as CSV', async (test) => {
  const folder = await ConfigFolder.make();
  test.onTestFinished(() => folder.remove());
  const sqs = await startSqs();
  test.onTestFinished(() => sqs.close());
  const queue = sdkClient(test, sqs.endpoint);
  const { QueueUrl } = await queue.send(new CreateQueueCommand({ QueueName: 'thumbnails' }));
  const jobs = {
    source: 'sqs',
    region,
    endpoint: sqs.endpoint,
    credentials: { accessKeyId: 'reader', secretAccessKey: 'reader' },
    activeReadSeconds: 1,
    idleReadSeconds: 1,
  };
  await folder.write(
    'config.yaml',
    stringify({ grpc: server, admin: server, history: { hours: 1 }, connections: { jobs } }),
  );
  const serve = new Command(['serve', '--config', folder.file]);
  test.onTestFinished(async () => {
    serve.signal('SIGKILL');
    await serve.exited;
  });
  const keda = new TestClient(`127.0.0.1:${await serve.port('grpc')}`, credentials.createInsecure());
  test.onTestFinished(() => keda.close());
  const admin = `http://127.0.0.1:${await serve.port('admin')}`;
  const thumbnails = { namespace: 'shop', name: 'thumbnails', scalerMetadata: metadata };
  expect((await keda.isActive(thumbnails)).result).toBe(false);
  // Longer than the time for which the recorder keeps two readings.
  await sleep(fineMs + 500);
  for (let i = 0; i < 7; i += 1) await queue.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }));

  const { triggers } = rows.parse(await (await fetch(`${admin}/api/triggers`)).json());
  const history = `${admin}/api/triggers/${triggers[0]?.id}/history`;
  const last = async (): Promise<unknown> =>
    recorded.parse(await (await fetch(history)).json()).points.at(-1)?.backlog;
  await expect.poll(last, { timeout: 20_000 }).toBe(7);

  const object = scaledObject('thumbnails', metadata);
  for (const [file, url] of [
    ['history.json', history],
    ['history.csv', `${history}?format=csv`],
  ] as const) {
    await folder.write(file, await (await fetch(url)).text());
    const args = ['-f', '-', '--history', `${folder.path}/${file}`, '--replica-rate', '5', '-o', 'json'];
    const command = new Command(['simulate', ...args, '--set', 'threshold 4:queueLength=4'], {}, object);
    expect([await command.exited, command.stderr]).toEqual([0, '']);
    const { history: told, settings } = played.parse(JSON.parse(command.stdout));
    expect(told.items).toBe(7);
    expect(settings.map(({ name }) => name)).toEqual(['as written', 'threshold 4']);
  }
});
