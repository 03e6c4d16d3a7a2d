import { describe, expect, it } from 'vitest';
import { eventDir, followed, inbound, openLog } from '../../support/event-store.ts';

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('FileEventLog', () => {
  it('gives kept events, then new ones, before it has appended', async () => {
    const { events } = await openLog();
    await events.append(inbound(1));
    const { facts, replayed } = followed(events.feedOf('ci'));
    await replayed;
    expect(facts).toEqual([1]);
    const appended = events.append(inbound(2)).then(() => [...facts]);
    expect(await appended).toEqual([1, 2]);
  });

  it('gives the events from before a restart, in order', async () => {
    const first = await openLog();
    await Promise.all(upTo(2500).map((n) => first.events.append(inbound(n))));
    await first.events.close();
    const { events } = await openLog({ dir: first.dir });
    await events.append(inbound(2501));
    const { facts, replayed } = followed(events.feedOf('ci'));
    await replayed;
    expect(facts).toEqual(upTo(2501));
  });

  it('hands each event over once, in order, to a follower while others are appended', async () => {
    const { events } = await openLog();
    await Promise.all(upTo(1200).map((n) => events.append(inbound(n))));
    const followers: ReturnType<typeof followed>[] = [];
    const appends: Promise<void>[] = [];
    for (let n = 1201; n <= 2000; n += 1) {
      appends.push(events.append(inbound(n)));
      if (n % 100 === 0) followers.push(followed(events.feedOf('ci')));
      if (n % 7 === 0) await appends.at(-1);
    }
    await Promise.all([...appends, ...followers.map(({ replayed }) => replayed)]);
    for (const { facts } of followers) expect(facts).toEqual(upTo(2000));
  });

  it('keeps connections apart, and gives nothing to a follower that has left', async () => {
    const { events } = await openLog();
    await Promise.all([events.append(inbound(1, 'other')), events.append(inbound(2))]);
    const [ci, other, leaves] = [
      followed(events.feedOf('ci')),
      followed(events.feedOf('other')),
      followed(events.feedOf('ci')),
    ];
    leaves.unfollow();
    await Promise.all([ci.replayed, other.replayed]);
    other.unfollow();
    await events.append(inbound(3, 'other'));
    expect([ci.facts, other.facts, leaves.facts]).toEqual([[2], [1], []]);
  });

  it('keeps nobody waiting for the many events of another connection', async () => {
    const { events, store } = await openLog();
    const { facts, replayed } = followed(events.feedOf('ci'));
    await replayed;
    const flood = upTo(10_000).map((n) => events.append(inbound(n, 'flood')));
    await flood[0];
    const before = store.puts;
    await events.append(inbound(1));
    expect([store.puts - before, facts]).toEqual([1, [1]]);
    await Promise.all(flood);
    const { facts: all, replayed: read } = followed(events.feedOf('flood'));
    await read;
    expect(all).toEqual(upTo(10_000));
  });

  it('refuses what a connection sends faster than the disk takes it, and nothing of another one', async () => {
    const { events } = await openLog({ maxEvents: 20_000 });
    const flood = Promise.allSettled(upTo(12_000).map((n) => events.append(inbound(n, 'flood'))));
    await events.append(inbound(1));
    const refused = (await flood).filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(2000);
    expect(refused[0]?.reason).toMatchObject({
      code: 'exhausted',
      message: expect.stringContaining('10000 events of the connection wait for the disk'),
    });
  });

  it('writes events that come during a write together', async () => {
    const { events, store } = await openLog();
    await Promise.all(upTo(3000).map((n) => events.append(inbound(n))));
    expect(store.puts).toBe(60);
  });

  it('keeps events under way when it is closed, and accepts no more', async () => {
    const { events, dir } = await openLog();
    const appends = Promise.all(upTo(2500).map((n) => events.append(inbound(n))));
    await events.close();
    await appends;
    await expect(events.append(inbound(1))).rejects.toMatchObject({ code: 'unavailable' });
    const { facts, replayed } = followed((await openLog({ dir })).events.feedOf('ci'));
    await replayed;
    expect(facts).toHaveLength(2500);
  });
});

describe('a directory that cannot be used', () => {
  it('is in use by another', async () => {
    const { dir } = await openLog();
    await expect(openLog({ dir })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/in use by another process.*one pod.*volume of its own/i),
    });
  });

  it('is not a directory', async () => {
    await expect(openLog({ dir: `${import.meta.filename}/x` })).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be used \(ENOTDIR.*mount a volume/),
    });
  });

  it('is created if it does not exist', async () => {
    const { events } = await openLog({ dir: `${eventDir()}/a/b` });
    await events.append(inbound(1));
  });
});
