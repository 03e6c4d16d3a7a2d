import { expect, it, onTestFinished } from 'vitest';
import { epochNowMs } from '../../src/clock.ts';
import { messageId } from '../../src/event-log/nats/stream.ts';
import { followed, inbound } from '../support/event-store.ts';
import { newStream, openNatsLog } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';

const nats = useNats();

function open(stream: string, settings: Parameters<typeof openNatsLog>[0]['settings'] = {}) {
  return openNatsLog({ urls: nats().urls, stream, settings });
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** While the stream does not take them, a pod’s own events arrive twice. */
const distinct = (facts: readonly unknown[]) => [...new Set(facts)];

it('one pod’s events reach the others, and a later one, in order', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([open(stream), open(stream)]);
  const seen = followed(b.events.feedOf('ci'));
  for (const fact of upTo(20)) await a.events.append(inbound(fact));
  await expect.poll(() => seen.facts).toEqual(upTo(20));
  const later = followed((await open(stream)).events.feedOf('ci'));
  await later.replayed;
  expect(later.facts).toEqual(upTo(20));
});

it('reach followers before append resolves, by way of the stream', async () => {
  const { events } = await open(newStream());
  const seen = followed(events.feedOf('ci'));
  await seen.replayed;
  const appended = events.append(inbound(1));
  expect(seen.facts).toEqual([]);
  await appended;
  expect(seen.facts).toEqual([1]);
});

it('a connection has only the events of its own name, whatever dots it has', async () => {
  const { events } = await open(newStream());
  const names = ['a', 'a.b', 'a.b.c', 'a..b', 'a-b'];
  await Promise.all(names.map((name, fact) => events.append(inbound(fact, name))));
  for (const [fact, name] of names.entries()) {
    const seen = followed(events.feedOf(name));
    await seen.replayed;
    expect(seen.facts).toEqual([fact]);
  }
});

it('the same event sent to two pods is kept once', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([open(stream), open(stream)]);
  await expect.poll(() => [a.link.up, b.link.up]).not.toContain(undefined);
  await a.events.append(inbound(1, 'ci', 1_000));
  await b.events.append(inbound(1, 'ci', 2_000));
  const seen = followed(b.events.feedOf('ci'));
  await seen.replayed;
  expect(seen.facts).toEqual([1]);
});

it('a difference in anything except time makes another event', () => {
  const event = inbound(1);
  expect(messageId({ ...event, receivedAtMs: 5 })).toBe(messageId(event));
  const others = [{ id: '2' }, { type: 'other' }, { connection: 'other' }, { fact: 2 }];
  for (const other of others) expect(messageId({ ...event, ...other })).not.toBe(messageId(event));
});

it('a connection with too many events loses its own oldest, and reports since when it is whole', async () => {
  const stream = newStream();
  const first = await open(stream, { maxEventsPerConnection: 10 });
  const before = first.events.feedOf('quiet');
  await followed(before).replayed;
  await first.events.append(inbound(1, 'quiet'));
  for (const fact of upTo(50)) await first.events.append(inbound(fact, 'loud'));
  const { events } = await open(stream, { maxEventsPerConnection: 10 });
  const [quiet, loud] = [events.feedOf('quiet'), events.feedOf('loud')];
  const seen = [followed(quiet), followed(loud)];
  await Promise.all(seen.map(({ replayed }) => replayed));
  expect(seen.map(({ facts }) => facts)).toEqual([[1], upTo(50, 41)]);
  expect(quiet.keptSince()).toEqual(before.keptSince());
  expect(loud.keptSince().because).toBe('new');
  // The head of `loud` is newer than the dropped events. A later follower knows of both.
  await first.events.append(inbound(51, 'loud'));
  const again = (await open(stream, { maxEventsPerConnection: 10 })).events.feedOf('loud');
  await followed(again).replayed;
  expect(again.keptSince()).toEqual(loud.keptSince());
  for (const fact of upTo(62, 52)) await first.events.append(inbound(fact, 'loud'));
  const last = (await open(stream, { maxEventsPerConnection: 10 })).events.feedOf('loud');
  await followed(last).replayed;
  expect(last.keptSince().because).toBe('dropped');
  expect(last.keptSince().atMs).toBeGreaterThan(loud.keptSince().atMs);
});

it('a raised limit does not bring back events dropped under the lower one', async () => {
  const stream = newStream();
  const first = await open(stream, { maxEventsPerConnection: 5 });
  const feed = first.events.feedOf('ci');
  await followed(feed).replayed;
  for (const fact of upTo(9)) await first.events.append(inbound(fact));
  const { events, log } = await open(stream, { maxEventsPerConnection: 100, retentionSeconds: 7_200 });
  const raised = events.feedOf('ci');
  const seen = followed(raised);
  await seen.replayed;
  expect(log.messages('info')).toContain(
    'the stream of the event log has the limits of the configuration now',
  );
  expect(raised.keptSince().because).toBe('dropped');
  expect(raised.keptSince().atMs).toBeGreaterThan(feed.keptSince().atMs);
  expect(seen.facts).toEqual(upTo(9, 5));
});

it('a stream that is created again is noticed in every pod, which continues', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([open(stream), open(stream)]);
  const feed = b.events.feedOf('ci');
  const [own, seen] = [followed(a.events.feedOf('ci')), followed(feed)];
  await Promise.all([own.replayed, seen.replayed]);
  await a.events.append(inbound(1));
  await expect.poll(() => seen.facts).toEqual([1]);
  expect(feed.keptSince().because).toBe('new');
  await b.link.up?.manager.streams.delete(stream);
  await a.events.append(inbound(2));
  await expect.poll(() => distinct(seen.facts)).toEqual([1, 2]);
  await expect.poll(() => feed.keptSince().because).toBe('damaged');
  expect(b.log.messages('error').join('\n')).toMatch(/damaged: its stream was made anew/);
  const later = (await open(stream)).events.feedOf('ci');
  const third = followed(later);
  await third.replayed;
  expect(third.facts).toEqual([2]);
  expect(later.keptSince().because).toBe('damaged');
});

it('a foreign stream is left alone', async () => {
  const stream = newStream();
  const { link } = await open(newStream());
  await expect.poll(() => link.up).toBeDefined();
  await link.up?.manager.streams.add({ name: stream, subjects: ['orders.>'] });
  const { log, events } = await open(stream);
  await expect.poll(() => log.text()).toMatch(/has other subjects.*eventLog\.stream/);
  expect(events.feedOf('ci').unreadable?.()?.message).toMatch(
    /cannot be read, since their stream cannot be used: has other subjects/,
  );
});

it('no event can be taken out of the stream by hand', async () => {
  const stream = newStream();
  const { link } = await open(newStream());
  await expect.poll(() => link.up).toBeDefined();
  const streams = link.up?.manager.streams;
  // As an earlier version made it.
  await streams?.add({ name: stream, subjects: [`${stream}.events.*`] });
  const { events } = await open(stream);
  await followed(events.feedOf('ci')).replayed;
  await events.append(inbound(1));
  await expect(streams?.purge(stream)).rejects.toThrow();
  await expect(streams?.deleteMessage(stream, 1)).rejects.toThrow();
  expect((await streams?.info(stream))?.state.messages).toBe(1);
});

it('events that were dropped by a limit which the scaler does not set count as dropped', async () => {
  const stream = newStream();
  const first = await open(stream);
  await followed(first.events.feedOf('quiet')).replayed;
  await first.link.up?.manager.streams.update(stream, { max_msgs: 5 });
  await first.events.append(inbound(1, 'quiet'));
  for (const fact of upTo(10)) await first.events.append(inbound(fact, 'loud'));
  const quiet = (await open(stream)).events.feedOf('quiet');
  const seen = followed(quiet);
  await seen.replayed;
  expect(seen.facts).toEqual([]);
  expect(quiet.keptSince().because).toBe('dropped');
});

it.each([{ retention: 'interest' }, { storage: 'memory' }] as const)(
  'a stream that does not keep its events is left alone (%o)',
  async (config) => {
    const stream = newStream();
    const { link } = await open(newStream());
    await expect.poll(() => link.up).toBeDefined();
    await link.up?.manager.streams.add({ name: stream, subjects: [`${stream}.events.*`], ...config });
    const { log } = await open(stream);
    await expect.poll(() => log.text()).toMatch(/does not keep its events.*eventLog\.stream/);
  },
);

it('a connection for which there is no consumer left says so, and disturbs no other', async () => {
  const stream = newStream();
  const { link } = await open(newStream());
  await expect.poll(() => link.up).toBeDefined();
  const manager = link.up?.manager;
  await manager?.streams.add({ name: stream, subjects: [`${stream}.events.*`], max_consumers: 1 });
  const consumers = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of manager?.consumers.list(stream) ?? []) names.push(name);
    return names;
  };
  const { events, log } = await open(stream);
  await followed(events.feedOf('a')).replayed;
  const before = await consumers();
  const feed = events.feedOf('b');
  followed(feed);
  await expect.poll(() => feed.unreadable?.()?.message).toMatch(/maximum consumers limit reached/);
  expect(await consumers()).toEqual(before);
  expect(log.messages('error')).toEqual([expect.stringContaining('cannot read the events of a connection')]);
});

it('a pod whose clock is wrong makes nothing look older than it is in the others', async () => {
  const stream = newStream();
  const realMs = performance.timeOrigin;
  const wrongBy = (ms: number): void => {
    Object.defineProperty(performance, 'timeOrigin', { value: realMs + ms, configurable: true });
  };
  onTestFinished(() => void Reflect.deleteProperty(performance, 'timeOrigin'));
  const hours = 3_600_000;
  wrongBy(-2 * hours);
  const behind = await open(stream);
  await followed(behind.events.feedOf('ci')).replayed;
  await behind.events.append(inbound(1, 'ci', epochNowMs()));
  await behind.close();
  expect(behind.log.messages('warn')).toContain('the clocks of this pod and of NATS differ: set both by NTP');
  for (const skewMs of [0, 2 * hours]) {
    wrongBy(skewMs);
    const feed = (await open(stream)).events.feedOf('ci');
    const receivedMs: number[] = [];
    await new Promise<void>((resolve) => {
      feed.follow(({ receivedAtMs }) => receivedMs.push(receivedAtMs), resolve);
    });
    for (const atMs of [feed.keptSince().atMs, ...receivedMs])
      expect(Math.abs(epochNowMs() - atMs)).toBeLessThan(hours);
    expect(receivedMs).toHaveLength(1);
  }
});

it('a follower that leaves gets nothing more', async () => {
  const { events } = await open(newStream());
  const seen = followed(events.feedOf('ci'));
  await seen.replayed;
  seen.unfollow();
  await events.append(inbound(1));
  const other = followed(events.feedOf('ci'));
  await other.replayed;
  expect(seen.facts).toEqual([]);
});
