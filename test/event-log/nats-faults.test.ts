import { setTimeout as sleep } from 'node:timers/promises';
import { Kvm } from '@nats-io/kv';
import { expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../../fakes/tcp-proxy.ts';
import { followed, inbound } from '../support/event-store.ts';
import { newStream, openNatsLog } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';

const nats = useNats();

function open(stream: string, settings: Parameters<typeof openNatsLog>[0]['settings'] = {}) {
  return openNatsLog({ urls: nats().urls, stream, settings });
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function metric({ metrics }: Awaited<ReturnType<typeof open>>, name: string): Promise<number> {
  const line = (await metrics.exposition())
    .split('\n')
    .find((each) => each.startsWith(`backlog_scaler_${name}`));
  return Number(line?.split(' ')[1] ?? 0);
}

it('NATS is killed during a burst: every accepted event exists afterwards, in order', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([open(stream), open(stream)]);
  const seen = followed(b.events.feedOf('ci'));
  const own = followed(a.events.feedOf('ci'));
  await Promise.all([seen.replayed, own.replayed]);
  const appended: Promise<void>[] = [];
  for (const fact of upTo(3_000)) {
    appended.push(a.events.append(inbound(fact)));
    if (fact === 1_000) void nats().server('n1').kill();
    if (fact % 20 === 0) await sleep(1);
  }
  await Promise.all(appended);
  expect(await metric(a, 'event_log_connected')).toBe(0);
  expect(new Set(own.facts)).toEqual(new Set(upTo(3_000)));
  await nats().restart('n1');
  await expect.poll(() => seen.facts).toEqual(upTo(3_000));
  const later = followed((await open(stream)).events.feedOf('ci'));
  await later.replayed;
  expect(later.facts).toEqual(upTo(3_000));
  expect(await metric(a, 'event_log_connected')).toBe(1);
  expect(await metric(a, 'event_log_buffered_events')).toBe(0);
  const away = a.log.messages('error').filter((message) => message.startsWith('NATS is away'));
  expect(away.length).toBeLessThanOrEqual(2);
  expect(a.log.messages('info')).toContain('NATS is back');
});

it('NATS is away at the start: the pod takes events, and passes them on later', async () => {
  await nats().server('n1').stop();
  const stream = newStream();
  const pod = await open(stream);
  const feed = pod.events.feedOf('ci');
  const seen = followed(feed);
  await expect.poll(() => pod.log.text()).toMatch(/NATS at .* refuses the connection/);
  expect(feed.unreadable?.()?.message).toMatch(/while NATS is away: NATS at \S+ refuses the connection/);
  for (const fact of upTo(5)) await pod.events.append(inbound(fact));
  // Without its replay nobody knows what else exists.
  expect(seen.facts).toEqual([]);
  expect(await metric(pod, 'event_log_buffered_events')).toBe(5);
  await nats().restart('n1');
  await seen.replayed;
  expect(feed.unreadable?.()).toBeUndefined();
  await expect.poll(() => [...new Set(seen.facts)]).toEqual(upTo(5));
  expect(feed.keptSince().because).toBe('new');
  expect(await metric(pod, 'event_log_forwarded_total')).toBe(5);
});

it('events kept for NATS are bounded by number and bytes', async () => {
  await nats().server('n1').stop();
  const few = await open(newStream(), { maxBuffered: 3 });
  for (const fact of upTo(3)) await few.events.append(inbound(fact));
  await expect(few.events.append(inbound(4))).rejects.toThrow(/no room for more: see eventLog\.maxBuffered/);
  const small = await open(newStream(), { maxBufferedBytes: 1_024 });
  await small.events.append({ ...inbound(1), fact: 'x'.repeat(500) });
  await expect(small.events.append({ ...inbound(2), fact: 'x'.repeat(500) })).rejects.toThrow(
    /maxBufferedBytes/,
  );
  await nats().restart('n1');
  await expect.poll(() => metric(few, 'event_log_buffered_events')).toBe(0);
  await few.events.append(inbound(4));
});

it('a stopping pod says which events NATS has not taken', async () => {
  await nats().server('n1').stop();
  const pod = await open(newStream());
  for (const fact of upTo(3)) await pod.events.append(inbound(fact, fact === 3 ? 'other' : 'ci'));
  await pod.close();
  expect(pod.log.text()).toMatch(
    /"connections":\{"ci":2,"other":1\}.*events are lost: NATS did not take them/,
  );
  expect(await metric(pod, 'event_log_dropped_total{reason="stopped"}')).toBe(3);
  await expect(pod.events.append(inbound(4))).rejects.toThrow(/is closed/);
  await nats().restart('n1');
});

it('a stopping pod waits while NATS takes events', async () => {
  const stream = newStream();
  const pod = await open(stream);
  await expect.poll(() => metric(pod, 'event_log_connected')).toBe(1);
  const appended = upTo(2_000).map((fact) => pod.events.append(inbound(fact)));
  await pod.close();
  await Promise.all(appended);
  const seen = followed((await open(stream)).events.feedOf('ci'));
  await seen.replayed;
  expect(seen.facts).toEqual(upTo(2_000));
});

it('senders do not wait for a silent NATS', async () => {
  const stream = newStream();
  const pod = await open(stream);
  const seen = followed(pod.events.feedOf('ci'));
  await seen.replayed;
  const server = nats().server('n1');
  server.signal('SIGSTOP');
  onTestFinished(() => server.signal('SIGCONT'));
  let last = 0;
  // The first may come before the server has stopped.
  const append = async (): Promise<number> => {
    last += 1;
    await pod.events.append(inbound(last));
    return metric(pod, 'event_log_buffered_events');
  };
  await expect.poll(append).toBeGreaterThan(0);
  await append();
  server.signal('SIGCONT');
  await expect.poll(() => metric(pod, 'event_log_buffered_events')).toBe(0);
  const later = followed((await open(stream)).events.feedOf('ci'));
  await later.replayed;
  expect(later.facts).toEqual(upTo(last));
});

it('an event that is larger than NATS takes is refused, and delays no other', async () => {
  const pod = await open(newStream());
  await expect.poll(() => metric(pod, 'event_log_connected')).toBe(1);
  const large = { ...inbound(1), fact: 'x'.repeat(1_100_000) };
  await expect(pod.events.append(large)).rejects.toThrow(/larger than NATS takes/);
  await pod.events.append(inbound(2));
});

it('an event that is larger than the stream takes is refused', async () => {
  const stream = newStream();
  const maker = await open(stream);
  await followed(maker.events.feedOf('ci')).replayed;
  await maker.link.up?.manager.streams.update(stream, { max_msg_size: 1_000 });
  const pod = await open(stream);
  await followed(pod.events.feedOf('ci')).replayed;
  await pod.events.append(inbound(1));
  const large = { ...inbound(2), fact: 'x'.repeat(1_000) };
  await expect(pod.events.append(large)).rejects.toThrow(/max_msg_size of the stream/);
});

it('an event that turns out too large when NATS is back is dropped, and delays no other', async () => {
  await nats().server('n1').stop();
  const stream = newStream();
  const pod = await open(stream);
  await pod.events.append({ ...inbound(1), fact: 'x'.repeat(1_100_000) });
  await pod.events.append(inbound(2));
  await nats().restart('n1');
  const seen = followed(pod.events.feedOf('ci'));
  await expect.poll(() => [...new Set(seen.facts)]).toEqual([2]);
  expect(await metric(pod, 'event_log_dropped_total{reason="too_large"}')).toBe(1);
  expect(pod.log.messages('error').join('\n')).toMatch(/larger than NATS takes/);
});

it('a request that is never answered delays no other, and a late answer counts', async () => {
  const stream = newStream();
  const pod = await open(stream);
  await expect.poll(() => metric(pod, 'event_log_connected')).toBe(1);
  const streams = pod.link.up?.manager.streams;
  if (streams === undefined) throw new Error('NATS is away');
  const info = streams.info.bind(streams);
  let asked = 0;
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  streams.info = (name) => {
    asked += 1;
    return asked === 1 ? answered.then(() => info(name)) : new Promise(() => {});
  };
  await streams.delete(stream);
  await pod.events.append(inbound(1));
  await expect.poll(() => asked).toBeGreaterThan(3);
  expect(await metric(pod, 'event_log_connected')).toBe(0);
  answer();
  await expect.poll(() => metric(pod, 'event_log_connected')).toBe(1);
});

it('a stream that refuses is logged, and takes all events when it works again', async () => {
  const stream = newStream();
  const pod = await open(stream);
  const seen = followed(pod.events.feedOf('ci'));
  await seen.replayed;
  const streams = pod.link.up?.manager.streams;
  await streams?.update(stream, { max_msgs: 1, discard: 'new' });
  for (const fact of upTo(3)) await pod.events.append(inbound(fact));
  await expect.poll(() => pod.log.text()).toMatch(/maximum messages exceeded.*NATS does not take events/);
  expect(await metric(pod, 'event_log_connected')).toBe(1);
  expect(seen.facts).toEqual(expect.arrayContaining(upTo(3)));
  await streams?.update(stream, { max_msgs: -1 });
  await expect.poll(() => metric(pod, 'event_log_buffered_events')).toBe(0);
  const later = followed((await open(stream)).events.feedOf('ci'));
  await later.replayed;
  expect(later.facts).toEqual(upTo(3));
});

it('a pod that is cut off says until when it knew every event, and when it does again', async () => {
  const proxy = await TcpProxy.start(() => Number(new URL(nats().urls[0] ?? '').port));
  onTestFinished(() => proxy.close());
  const stream = newStream();
  const near = await open(stream);
  const far = await openNatsLog({ urls: [`nats://127.0.0.1:${proxy.port}`], stream });
  const feed = far.events.feedOf('ci');
  const seen = followed(feed);
  await seen.replayed;
  expect(feed.cutOff?.()?.sinceMs).toBeUndefined();
  const since = feed.keptSince();
  const cutMs = performance.now();
  proxy.become('silent');
  await near.events.append(inbound(1));
  await expect.poll(() => feed.cutOff?.()?.sinceMs).toBeLessThanOrEqual(cutMs);
  expect(feed.cutOff?.()?.error.message).toMatch(/NATS/);
  expect(seen.facts).toEqual([]);
  proxy.become('passing');
  await expect.poll(() => seen.facts).toEqual([1]);
  await expect.poll(() => feed.cutOff?.()?.sinceMs).toBeUndefined();
  expect(feed.keptSince()).toEqual(since);
});

/** A pod with a network of its own, beside one that always reaches NATS. */
async function nearAndFar(settings: Parameters<typeof openNatsLog>[0]['settings'] = {}) {
  const proxy = await TcpProxy.start(() => Number(new URL(nats().urls[0] ?? '').port));
  onTestFinished(() => proxy.close());
  const stream = newStream();
  const near = await open(stream, settings);
  const far = await openNatsLog({ urls: [`nats://127.0.0.1:${proxy.port}`], stream, settings });
  return { proxy, stream, near, far, feed: far.events.feedOf('ci') };
}

it('events reach followers in a state that the stream had, or the feed says that it is cut off', async () => {
  const { proxy, near, far, feed } = await nearAndFar();
  /** Each event, and whether it came ahead of the stream. */
  const taken: [fact: unknown, isAhead: boolean][] = [];
  let replays = 0;
  await new Promise<void>((resolve) => {
    const replayed = (): void => {
      replays += 1;
      resolve();
    };
    feed.follow(({ fact }) => taken.push([fact, feed.cutOff?.() !== undefined]), replayed);
  });
  await far.events.append(inbound(1));
  expect(taken).toEqual([[1, false]]);
  proxy.become('silent');
  await near.events.append(inbound(2));
  const appended = far.events.append(inbound(3));
  const receivedMs = performance.now();
  await appended;
  expect(taken).toEqual([
    [1, false],
    [3, true],
  ]);
  expect(feed.cutOff?.()?.sinceMs).toBeLessThanOrEqual(receivedMs);
  expect(replays).toBe(1);
  proxy.become('passing');
  await expect.poll(() => new Set(taken.map(([fact]) => fact))).toEqual(new Set([1, 2, 3]));
  await expect.poll(() => feed.cutOff?.()).toBeUndefined();
  await expect.poll(() => replays).toBeGreaterThan(1);
});

it('a pod that was cut off while its stream dropped events knows that it misses some', async () => {
  const { proxy, near, feed } = await nearAndFar({ maxEventsPerConnection: 10 });
  const seen = followed(feed);
  await seen.replayed;
  await near.events.append(inbound(1));
  await expect.poll(() => seen.facts).toEqual([1]);
  expect(feed.keptSince().because).toBe('new');
  proxy.become('silent');
  for (const fact of upTo(31, 2)) await near.events.append(inbound(fact));
  proxy.become('passing');
  await expect.poll(() => seen.facts).toEqual([1, ...upTo(31, 22)]);
  await expect.poll(() => feed.keptSince().because).toBe('dropped');
});

it('a pod that returns is not up to date before it has read what it missed', async () => {
  const { proxy, near, feed } = await nearAndFar();
  let taken = 0;
  const untils: unknown[] = [];
  await new Promise<void>((resolve) => {
    feed.follow(() => {
      taken += 1;
      untils.push(feed.cutOff?.()?.sinceMs);
    }, resolve);
  });
  proxy.become('silent');
  await expect.poll(() => feed.cutOff?.()?.sinceMs).toBeDefined();
  for (const fact of upTo(500)) await near.events.append(inbound(fact));
  proxy.become('passing');
  await expect.poll(() => taken).toBe(500);
  expect(untils).not.toContain(undefined);
  await expect.poll(() => feed.cutOff?.()?.sinceMs).toBeUndefined();
});

it('damage of the stream that another pod has found counts in every pod', async () => {
  const { proxy, stream, near, feed } = await nearAndFar();
  const seen = followed(feed);
  await seen.replayed;
  await near.events.append(inbound(1));
  await expect.poll(() => seen.facts).toEqual([1]);
  proxy.become('silent');
  const { up } = near.link;
  if (up === undefined) throw new Error('NATS is away');
  const bucket = await new Kvm(up.jetstream).open(`${stream}-since`);
  const head = (await bucket.get('=stream'))?.json<object>();
  await bucket.put('=stream', JSON.stringify({ ...head, atMs: Date.now(), because: 'damaged' }));
  proxy.become('passing');
  await expect.poll(() => feed.keptSince().because).toBe('damaged');
  expect(seen.facts).toEqual([1, 1]);
});
