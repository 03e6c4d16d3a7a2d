import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { natsSettings } from '../../src/outbound/nats.ts';
import { Pods, type Told } from '../../src/pods/pods.ts';
import type { SurgeNews } from '../../src/triggers/other-pods.ts';
import { newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const nats = useNats();

async function startPod(stream: string) {
  const heard: Told[] = [];
  const surges: SurgeNews[] = [];
  const settings = { ...z.object(natsSettings).parse({ servers: nats().urls }), stream, replicas: 1 };
  const pods = new Pods({
    settings,
    hinted: (told) => heard.push(told),
    surging: (news) => surges.push(news),
    held: () => {},
    gaveUp: () => {},
    log: recordingLogger(),
  });
  pods.open();
  onTestFinished(() => pods.close());
  await expect.poll(() => pods.link.up).toBeDefined();
  // The server now knows its subscriptions.
  await pods.link.up?.connection.flush();
  return { pods, heard, surges };
}

const queue: Told = { connection: 'jobs', subject: 'work', cause: 'hint' };
const all: Told = { connection: 'jobs', subject: undefined, cause: 'sns' };

it('a hint reaches the other pods of the scaler unchanged, and does not come back', async () => {
  const stream = newStream();
  const [a, b, c] = await Promise.all([startPod(stream), startPod(stream), startPod(stream)]);
  const stranger = await startPod(newStream());
  expect([a.pods.hint(queue), a.pods.hint(all)]).toEqual([true, true]);
  for (const { heard } of [b, c]) await expect.poll(() => heard).toEqual([queue, all]);
  expect([a.heard, stranger.heard]).toEqual([[], []]);
});

it('a storm of hints for one name becomes few, and one comes after the last of them', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([startPod(stream), startPod(stream)]);
  for (let i = 0; i < 1_000; i += 1) expect(a.pods.hint(queue)).toBe(true);
  await expect.poll(() => b.heard).toEqual([queue, queue]);
});

it('an invalid hint, or invalid news of a surge, is ignored', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([startPod(stream), startPod(stream)]);
  const strange = (...news: unknown[]) => JSON.stringify({ from: 'x', news });
  const looked: SurgeNews = { kind: 'looked', id: 'x', value: 7 };
  for (const text of [
    '',
    '{',
    '[]',
    '{"from":"x","news":{}}',
    strange(1, null, { connection: 1 }, { connection: 'a', cause: 'other' }),
    strange({ kind: 'pushed', id: 'i'.repeat(65) }, { kind: 'other', id: 'x' }),
    strange({ ...looked, value: -1 }, { ...looked, value: 1e300 }, { ...looked, value: '7' }),
    strange(...Array.from({ length: 1_001 }, () => ({ ...queue, ...looked }))),
  ]) {
    for (const subject of ['hints', 'surges'])
      a.pods.link.up?.connection.publish(`${stream}.${subject}`, text);
  }
  a.pods.hint(queue);
  a.pods.surges.tell(looked);
  await expect.poll(() => b.heard).toEqual([queue]);
  await expect.poll(() => b.surges).toEqual([looked]);
});

it('many news are few messages, and only the newest of each key', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([startPod(stream), startPod(stream)]);
  let messages = 0;
  b.pods.link.up?.connection.subscribe(`${stream}.surges`, {
    callback: () => {
      messages += 1;
    },
  });
  await b.pods.link.up?.connection.flush();
  const looked = (id: number, value: number): SurgeNews => ({ kind: 'looked', id: `t-${id}`, value });
  for (const value of [1, 2, 3])
    for (let id = 0; id < 900; id += 1) expect(a.pods.surges.tell(looked(id, value))).toBe(true);
  await expect.poll(() => b.surges.length).toBeGreaterThanOrEqual(901);
  // The first goes out at once.
  expect(b.surges[0]).toEqual(looked(0, 1));
  expect(new Set(b.surges.slice(1).map((news) => (news.kind === 'looked' ? news.value : 0)))).toEqual(
    new Set([3]),
  );
  expect(messages).toBe(2);
  for (let id = 0; id < 1_001; id += 1) a.pods.surges.tell(looked(id, 4));
  // At most a thousand wait.
  expect(a.pods.surges.tell(looked(1_001, 4))).toBe(false);
});

it('while NATS is away nothing is sent, and afterwards it is', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([startPod(stream), startPod(stream)]);
  await nats().server('n1').kill();
  await expect.poll(() => a.pods.hint(queue)).toBe(false);
  await nats().restart('n1');
  await expect.poll(() => a.pods.hint(queue) && b.heard.length > 0).toBe(true);
});
