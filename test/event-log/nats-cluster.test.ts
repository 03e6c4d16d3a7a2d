import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { EventFeed } from '../../src/sources/inbound.ts';
import { followed, inbound } from '../support/event-store.ts';
import { newStream, openNatsLog } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';

const nats = useNats({ nodes: 3 });

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

it('one of three servers is killed during a burst: nothing is lost, and every pod continues', async () => {
  const stream = newStream();
  const { urls } = nats();
  const open = () => openNatsLog({ urls, stream, settings: { replicas: 3 } });
  const [a, b] = await Promise.all([open(), open()]);
  const feed = b.events.feedOf('ci');
  const [own, seen] = [followed(a.events.feedOf('ci')), followed(feed)];
  await Promise.all([own.replayed, seen.replayed]);
  const info = await a.link.up?.manager.streams.info(stream);
  const leader = info?.cluster?.leader ?? 'n1';
  const appended: Promise<void>[] = [];
  for (const fact of upTo(2_000)) {
    appended.push(a.events.append(inbound(fact)));
    if (fact === 500) void nats().server(leader).kill();
    if (fact % 10 === 0) await sleep(1);
  }
  await Promise.all(appended);
  // A cluster needs some seconds to elect its leaders again.
  await expect.poll(() => new Set(seen.facts), { timeout: 100_000 }).toEqual(new Set(upTo(2_000)));
  const later = followed((await open()).events.feedOf('ci'));
  await later.replayed;
  expect(new Set(later.facts)).toEqual(new Set(upTo(2_000)));
  expect(feed.keptSince().because).toBe('new');
  await nats().restart(leader);
  await a.events.append(inbound(2_001));
  await expect.poll(() => seen.facts).toContain(2_001);
  expect([a, b].flatMap(({ log }) => log.messages('error')).join('\n')).not.toMatch(/damaged|lost/);
});

it('the server that feeds a pod is killed and stays away: the pod continues with another', async () => {
  const stream = newStream();
  const { urls } = nats();
  const open = () => openNatsLog({ urls, stream, settings: { replicas: 3 } });
  const a = await open();
  await followed(a.events.feedOf('ci')).replayed;
  const feeds = async () => {
    const manager = a.link.up?.manager;
    const found = new Map<string, string>();
    for await (const { name, cluster } of manager?.consumers.list(stream) ?? [])
      found.set(name, cluster?.leader ?? '');
    return found;
  };
  const before = await feeds();
  const seen = followed((await open()).events.feedOf('ci'));
  await seen.replayed;
  const [server = ''] = [...(await feeds())].flatMap(([name, leader]) => (before.has(name) ? [] : [leader]));
  await nats().server(server).kill();
  try {
    await Promise.all(upTo(20).map((fact) => a.events.append(inbound(fact))));
    await expect.poll(() => new Set(seen.facts), { timeout: 60_000 }).toEqual(new Set(upTo(20)));
  } finally {
    await nats().restart(server);
  }
});

it('pods whose server is cut off from the majority know until when they had every event', async () => {
  const stream = newStream();
  const [url = ''] = nats().urls;
  const { events, link } = await openNatsLog({ urls: [url], stream, settings: { replicas: 3 } });
  const feeds: EventFeed[] = [];
  const follow = async (): Promise<void> => {
    const feed = events.feedOf(`ci-${feeds.length}`);
    feeds.push(feed);
    await followed(feed).replayed;
  };
  const servers = async () => {
    const found = new Set<string | undefined>();
    for await (const { cluster } of link.up?.manager.consumers.list(stream) ?? []) found.add(cluster?.leader);
    return found;
  };
  await follow();
  // Its consumer goes on when the others are gone.
  while (!(await servers()).has('n1')) await follow();
  const upToDate = () => feeds.filter((feed) => feed.cutOff?.() === undefined).length;
  expect(upToDate()).toBe(feeds.length);
  const others = ['n2', 'n3'].map((name) => nats().server(name));
  for (const server of others) server.signal('SIGSTOP');
  try {
    await expect.poll(upToDate, { timeout: 60_000 }).toBe(0);
  } finally {
    for (const server of others) server.signal('SIGCONT');
  }
  await expect.poll(upToDate, { timeout: 100_000 }).toBe(feeds.length);
});
