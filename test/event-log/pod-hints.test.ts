import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { natsSettings } from '../../src/outbound/nats.ts';
import type { Told } from '../../src/pods/hints.ts';
import { Pods } from '../../src/pods/pods.ts';
import { newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const nats = useNats();

async function startPod(stream: string) {
  const heard: Told[] = [];
  const settings = { ...z.object(natsSettings).parse({ servers: nats().urls }), stream, replicas: 1 };
  const pods = new Pods({
    settings,
    hinted: (told) => heard.push(told),
    held: () => {},
    log: recordingLogger(),
  });
  pods.open();
  onTestFinished(() => pods.close());
  await expect.poll(() => pods.link.up).toBeDefined();
  // What it listens to is known to the server.
  await pods.link.up?.connection.flush();
  return { pods, heard };
}

const queue: Told = { connection: 'jobs', subject: 'work', cause: 'hint' };
const all: Told = { connection: 'jobs', subject: undefined, cause: 'sns' };

it('a hint gets to the other pods of the scaler, as it is, and not back', async () => {
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

it('what is no hint is left out', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([startPod(stream), startPod(stream)]);
  for (const text of [
    '',
    '{',
    '[]',
    '{"from":"x","connection":1}',
    '{"from":"x","connection":"a","cause":"other"}',
  ]) {
    a.pods.link.up?.connection.publish(`${stream}.hints`, text);
  }
  a.pods.hint(queue);
  await expect.poll(() => b.heard).toEqual([queue]);
});

it('while NATS is away nobody is told, and afterwards they are', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([startPod(stream), startPod(stream)]);
  await nats().server('n1').kill();
  await expect.poll(() => a.pods.hint(queue)).toBe(false);
  await nats().restart('n1');
  await expect.poll(() => a.pods.hint(queue) && b.heard.length > 0).toBe(true);
});
