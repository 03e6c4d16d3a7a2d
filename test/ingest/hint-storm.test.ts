import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { IngestScaler } from '../support/ingest-scaler.ts';
import { serviceOf } from '../support/queue-source.ts';
import { ref } from '../support/rpc-client.ts';

const tokens = [{ name: 'producer', token: 'pr0ducer-0123456789', connections: ['jobs'] }];
const ingest = { host: '127.0.0.1', port: 0, tokens };

it('a storm on one queue causes one read a second, keeps no other from being read, and its last hint is not lost', async () => {
  const service = randomUUID();
  const { queues, reads } = serviceOf(service);
  for (const queue of ['a', 'b']) queues.set(queue, { visible: 0, inFlight: 0 });
  const running = await IngestScaler.start({ jobs: { source: 'queues', service } }, { ingest });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  onTestFinished(() => agent.destroy());
  const hint = (queue: string) => hintOn(agent, running.ingestPort, queue);
  const trigger = (queue: string) => ref(queue, { source: 'queues', connection: 'jobs', queue });
  const [a, b] = ['a', 'b'].map((queue) => running.client().streamIsActive(trigger(queue)));
  expect([await a?.next(), await b?.next()]).toEqual([{ result: false }, { result: false }]);
  const before = performance.now();
  const storm = Promise.all(Array.from({ length: 2_000 }, () => hint('a')));
  queues.set('b', { visible: 1, inFlight: 0 });
  await hint('b');
  expect(await b?.next()).toEqual({ result: true });
  expect(new Set(await storm)).toEqual(new Set([202]));
  queues.set('a', { visible: 1, inFlight: 0 });
  await hint('a');
  expect(await a?.next()).toEqual({ result: true });
  const seconds = (performance.now() - before) / 1000;
  expect(reads.filter((keys) => keys.includes('a')).length).toBeLessThanOrEqual(seconds + 3);
});

function hintOn(agent: Agent, port: number, queue: string): Promise<number> {
  const headers = { authorization: 'Bearer pr0ducer-0123456789' };
  return new Promise((resolve, reject) => {
    const path = `/ingest/hint/jobs/${queue}`;
    const sent = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end('{}');
  });
}
