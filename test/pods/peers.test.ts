import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { ScalerError } from '../../src/errors.ts';
import { connectNats, natsSettings } from '../../src/outbound/nats.ts';
import { Pods } from '../../src/pods/pods.ts';
import type { PeerDuties, Peers } from '../../src/sources/source.ts';
import { cuttableProxy } from '../support/nats/cuttable-proxy.ts';
import { newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const nats = useNats();
const never = new AbortController().signal;

interface Joined {
  readonly peers: Peers;
  readonly heard: unknown[];
  readonly log: ReturnType<typeof recordingLogger>;
  held(): boolean | undefined;
}

/** A pod whose answers the test controls. */
function join(
  stream: string,
  place = 'acme',
  answer: PeerDuties['answer'] = () => Promise.resolve('yes'),
  servers = nats().urls,
): Joined {
  const log = recordingLogger();
  const settings = { ...z.object(natsSettings).parse({ servers }), stream, replicas: 1 };
  const pods = new Pods({ settings, hinted() {}, surging() {}, held() {}, gaveUp() {}, log });
  pods.open();
  const heard: unknown[] = [];
  const duties = { answer, hear: (news: unknown) => void heard.push(news), changed() {} };
  const peers = pods.peersOf('ci', place, duties, log);
  onTestFinished(async () => {
    await peers.close();
    await pods.close();
  });
  return { peers, heard, log, held: () => pods.holds('ci') };
}

async function holds({ peers }: Joined): Promise<void> {
  await expect.poll(() => peers.term !== undefined).toBe(true);
}

it('a question is answered by the pod with the lease, and news reach all others', async () => {
  const stream = newStream();
  const a = join(stream, 'acme', (question) => Promise.resolve({ question, by: 'a' }));
  await holds(a);
  const [b, c] = [join(stream), join(stream)];
  expect(await b.peers.ask({ what: 1 }, never)).toEqual({ question: { what: 1 }, by: 'a' });
  expect(await c.peers.ask({ what: 2 }, never)).toEqual({ question: { what: 2 }, by: 'a' });
  expect(await a.peers.ask('me', never)).toBeUndefined();
  a.peers.tell({ swept: 'web' });
  await expect.poll(() => [b.heard, c.heard]).toEqual([[{ swept: 'web' }], [{ swept: 'web' }]]);
  expect(a.heard).toEqual([]);
  expect([a.held(), b.held(), c.held()]).toEqual([true, false, false]);
});

it('an error is the same error for the pod that asked', async () => {
  const stream = newStream();
  const a = join(stream, 'acme', () => {
    throw new ScalerError('not_found', 'there is no such run', { retryAfterMs: 1234 });
  });
  await holds(a);
  await expect(join(stream).peers.ask(1, never)).rejects.toMatchObject({
    code: 'not_found',
    message: 'there is no such run',
    retryAfterMs: 1234,
  });
});

it('an answer of several megabytes passes if it can be compressed; otherwise the error says what to do', async () => {
  const stream = newStream();
  const many = Array.from({ length: 50_000 }, (_, id) => ({ id, name: `acme/repository-${id}` }));
  const noise = randomBytes(2_000_000).toString('base64');
  const a = join(stream, 'acme', (question) => Promise.resolve(question === 'many' ? many : noise));
  await holds(a);
  const b = join(stream);
  expect(await b.peers.ask('many', never)).toEqual(many);
  await expect(b.peers.ask('noise', never)).rejects.toThrow(/raise its max_payload/);
});

it('a question under way when the pod gives up its lease goes to the next holder', async () => {
  const stream = newStream();
  const a = join(stream, 'acme', (_, term) => sleep(600_000, undefined, { signal: term }));
  await holds(a);
  const b = join(stream, 'acme', () => Promise.resolve('from b'));
  const c = join(stream, 'acme', () => Promise.resolve('from c'));
  const asked = Promise.all([b.peers.ask(1, never), c.peers.ask(1, never)]);
  // By now it has reached the first one, or will find it gone.
  await sleep(200);
  await a.peers.close();
  const answers = await asked;
  // One of them has the lease now, and must look again by itself.
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
  expect(answers.filter((answer) => typeof answer === 'string')).toHaveLength(1);
});

it.each(['asks', 'answers'])(
  'a break of the pod that %s, while the answer is on its way, costs seconds',
  async (which) => {
    const stream = newStream();
    const proxy = await cuttableProxy(Number(new URL(nats().urls[0] ?? '').port));
    const far = [`nats://127.0.0.1:${proxy.port}`];
    let questions = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const answer = async (): Promise<string> => {
      questions += 1;
      await released;
      return 'yes';
    };
    const a = join(stream, 'acme', answer, which === 'answers' ? far : nats().urls);
    await holds(a);
    const b = join(stream, 'acme', undefined, which === 'asks' ? far : nats().urls);
    const answers: unknown[] = [];
    const asked = b.peers.ask(1, never).then((reply) => answers.push(reply));
    await expect.poll(() => questions).toBe(1);
    proxy.cut();
    release();
    await sleep(100);
    proxy.heal();
    // Undefined if the machine is so slow that the lease has moved.
    await expect.poll(() => answers).toEqual([expect.toBeOneOf(['yes', undefined])]);
    await asked;
  },
);

it('pods with another place under the same name have a lease of their own', async () => {
  const stream = newStream();
  const [a, b] = [join(stream, 'acme'), join(stream, 'other')];
  await Promise.all([holds(a), holds(b)]);
});

it('logs once that it has the lease, and once that it no longer has it', async () => {
  const stream = newStream();
  const a = join(stream);
  await holds(a);
  await sleep(1_500);
  await a.peers.close();
  const said = a.log.messages('info').filter((message) => message.includes('the lease'));
  expect(said).toEqual([
    'this pod asks the upstream for all pods now: it has the lease of the connection',
    'this pod no longer has the lease of the connection',
  ]);
});

it('the bucket of leases is deleted, and created again: one pod has the lease', async () => {
  const stream = newStream();
  const pods = [join(stream), join(stream)];
  await expect.poll(() => pods.filter(({ peers }) => peers.term !== undefined)).toHaveLength(1);
  const connection = await connectNats({ ...z.object(natsSettings).parse({ servers: nats().urls }) }, 'test');
  onTestFinished(() => connection.close());
  const manager = await jetstreamManager(connection);
  await manager.streams.delete(`KV_${stream}-leases`);
  await expect.poll(() => pods.filter(({ peers }) => peers.term !== undefined)).toHaveLength(0);
  await expect.poll(() => pods.filter(({ peers }) => peers.term !== undefined)).toHaveLength(1);
});

it('a bucket that takes no writes is reported, once', async () => {
  const stream = newStream();
  const a = join(stream);
  await holds(a);
  const connection = await connectNats({ ...z.object(natsSettings).parse({ servers: nats().urls }) }, 'test');
  onTestFinished(() => connection.close());
  const manager = await jetstreamManager(connection);
  await manager.streams.update(`KV_${stream}-leases`, { max_msg_size: 1 });
  await expect.poll(() => a.log.messages('error')).toEqual([expect.stringContaining('cannot be written')]);
  await expect.poll(() => a.peers.term).toBeUndefined();
  expect(a.log.messages('error')).toHaveLength(1);
});

it('without NATS a question fails within seconds, and says why', async () => {
  const log = recordingLogger();
  const settings = {
    ...z.object(natsSettings).parse({ servers: ['nats://127.0.0.1:1'] }),
    stream: 'x',
    replicas: 1,
  };
  const pods = new Pods({ settings, hinted() {}, surging() {}, held() {}, gaveUp() {}, log });
  const duties = { answer: () => Promise.resolve(1), hear() {}, changed() {} };
  const peers = pods.peersOf('ci', 'acme', duties, log);
  onTestFinished(async () => {
    await peers.close();
    await pods.close();
  });
  await expect(peers.ask(1, never)).rejects.toThrow(/does not answer: NATS is away/);
});
