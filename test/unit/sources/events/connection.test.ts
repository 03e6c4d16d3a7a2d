import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { MemoryEventLog } from '../../../../src/event-log/memory.ts';
import { eventsConfig } from '../../../../src/sources/events/config.ts';
import { connect } from '../../../../src/sources/events/connection.ts';
import type { EventsSnapshot } from '../../../../src/sources/events/rules/backlog.ts';
import { backlog } from '../../../../src/sources/events/rules/backlog.ts';
import type { ItemState } from '../../../../src/sources/events/rules/fact.ts';
import type { CutOff, EventFeed, InboundEvent, KeptSince } from '../../../../src/sources/inbound.ts';
import type { Reading } from '../../../../src/sources/source.ts';
import { silentLogger } from '../../../../src/telemetry/log.ts';
import { unmeasured } from '../../../support/connection-deps.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const nowMs = () => performance.timeOrigin + performance.now();
const away = new ScalerError('unavailable', 'NATS is away');
const item = { backlog: 'builds', type: '*', state: 'queued', key: 'subject' };

function event(state: ItemState, key = 'a', more: Partial<InboundEvent> = {}): InboundEvent {
  const fact = [{ backlog: 'builds', key, state, attempt: 0 }];
  return { connection: 'ci', type: 'x', id: '1', receivedAtMs: nowMs(), fact, ...more };
}

/** A durable log that hands over what the test says, when it says so. */
function logOf(atMs = 0, because: KeptSince['because'] = 'dropped') {
  let take: (event: InboundEvent) => void = () => {};
  let replayed = () => {};
  const feed: EventFeed = {
    keptSince: () => ({ atMs, because }),
    follow: (taker, done = () => {}) => {
      take = taker;
      replayed = done;
      return () => {
        take = () => {};
      };
    },
  };
  return { feed, take: (one: InboundEvent) => take(one), replayed: () => replayed() };
}

function open(feed: EventFeed, more: object = {}) {
  const woken: string[] = [];
  const log = recordingLog();
  const config = eventsConfig.parse({ ttlSeconds: 3600, items: [item], ...more });
  const wake = (key: string, cause: string) => void woken.push(`${key} ${cause}`);
  const same = () => false;
  const connection = connect(config, { name: 'ci', log, metrics: unmeasured, events: feed, wake, same });
  const read = async (activationItems = 0, wasActive?: boolean, of = 'builds'): Promise<Reading> => {
    const delivered: EventsSnapshot[] = [];
    const subject = { key: of, needs: [undefined] };
    await connection.read([subject], (_, result) => {
      if ('snapshot' in result) delivered.push(result.snapshot);
    });
    const [snapshot] = delivered;
    if (snapshot === undefined) throw new Error('nothing was delivered');
    return backlog({ backlog: of, targetItems: 1, activationItems }, snapshot, wasActive);
  };
  return { connection, read, woken, log };
}

describe('over a durable log', () => {
  it('knows nothing before all kept events are read, since an open item may be finished further on', async () => {
    const log = logOf();
    const { connection, read, woken } = open(log.feed);
    let synced = false;
    const sync = connection.firstSync().then(() => {
      synced = true;
    });
    log.take(event('queued'));
    expect(await read()).toMatchObject({ kind: 'unknown', error: { code: 'unavailable' } });
    log.take(event('finished'));
    expect([synced, woken]).toEqual([false, []]);
    log.replayed();
    await sync;
    expect(woken).toEqual(['builds event']);
    expect(await read()).toMatchObject({ kind: 'known', items: 0, active: false });
  });

  it('is confirmed now, but no later than the log was whole if this pod is cut off from it', async () => {
    const log = logOf();
    let cutOff: CutOff | undefined;
    const { connection } = open({ ...log.feed, cutOff: () => cutOff });
    log.replayed();
    const confirmed = async () => {
      const at: (number | undefined)[] = [];
      await connection.read([{ key: 'builds', needs: [undefined] }], (_, result) => {
        if ('snapshot' in result) at.push(result.confirmedAtMs);
      });
      return at;
    };
    expect(await confirmed()).toEqual([undefined]);
    cutOff = { sinceMs: 1234, error: away };
    expect(await confirmed()).toEqual([1234]);
  });

  it.each<
    [what: string, events: readonly InboundEvent[], wasActive: boolean | undefined, kind: Reading['kind']]
  >([
    ['the last number stays, whatever comes', [event('queued', 'b')], true, 'unknown'],
    ['a number does not fall', [event('finished')], true, 'unknown'],
    ['an own event wakes', [event('queued', 'b'), event('queued', 'c')], false, 'active'],
    ['too few do not', [], false, 'unknown'],
    ['for a new trigger, too', [event('queued', 'b'), event('queued', 'c')], undefined, 'active'],
  ])('cut off from the other pods: %s', async (_, events, wasActive, kind) => {
    const log = logOf();
    let cutOff: CutOff | undefined;
    const { read } = open({ ...log.feed, cutOff: () => cutOff });
    log.take(event('queued'));
    log.replayed();
    expect(await read(1)).toMatchObject({ kind: 'known', items: 1 });
    cutOff = { sinceMs: 0, error: away };
    for (const one of events) log.take(one);
    const reading = await read(1, wasActive);
    expect(reading.kind).toBe(kind);
    expect(
      reading.kind === 'unknown' ? reading.error.message : reading.kind === 'active' && reading.why,
    ).toContain('NATS is away');
    cutOff = undefined;
    expect(await read(1, wasActive)).toMatchObject({ kind: 'known' });
  });

  it('wakes every backlog when it is no longer cut off', () => {
    const log = logOf();
    const { woken } = open(log.feed);
    log.replayed();
    log.replayed();
    expect(woken).toEqual(['builds event', 'builds event']);
  });

  it('wakes only for a changed count', async () => {
    const log = logOf();
    const { connection, read, woken } = open(log.feed);
    log.replayed();
    log.take(event('queued'));
    log.take(event('queued'));
    log.take(event('running', 'b'));
    expect(woken).toHaveLength(3);
    const reading = await read(1);
    expect(reading).toMatchObject({ kind: 'known', items: 2, active: true });
    expect(reading.kind === 'known' && reading.detail()).toEqual({ queued: 1, running: 1 });
    await connection.close();
    log.take(event('queued', 'c'));
    expect(woken).toHaveLength(3);
  });

  it('knows the age of the oldest queued item from events before its start', async () => {
    const log = logOf();
    const { read } = open(log.feed);
    log.take(event('queued', 'old', { receivedAtMs: nowMs() - 60_000 }));
    log.take(event('queued', 'young'));
    log.replayed();
    const agesOf = async () => {
      const reading = await read();
      if (reading.kind !== 'known') throw new Error(`expected a number, got ${reading.kind}`);
      return reading.oldest && { ...reading.oldest, sinceMs: performance.now() - reading.oldest.sinceMs };
    };
    expect(await agesOf()).toEqual({ sinceMs: expect.closeTo(60_000, -4), atLeast: false });
    log.take(event('running', 'old'));
    expect(await agesOf()).toEqual({ sinceMs: expect.closeTo(0, -4), atLeast: false });
    log.take(event('running', 'young'));
    expect(await agesOf()).toBeUndefined();
  });

  it('ignores facts of other versions and of unknown backlogs', async () => {
    const log = logOf();
    const { read } = open(log.feed);
    log.replayed();
    for (const fact of [
      undefined,
      'text',
      [{ backlog: 'builds' }],
      [{ backlog: 'old', key: 'a', state: 'queued', attempt: 0 }],
    ]) {
      log.take(event('queued', 'a', { fact }));
    }
    expect(await read()).toMatchObject({ kind: 'known', items: 0 });
  });

  it('expires an item heard of before its start, and one from a clock that is ahead', async () => {
    const log = logOf();
    const { read } = open(log.feed);
    log.take(event('queued', 'old', { receivedAtMs: nowMs() - 3_600_001 }));
    log.take(event('queued', 'ahead', { receivedAtMs: nowMs() + 1e9 }));
    log.take(event('queued', 'new'));
    log.replayed();
    expect(await read()).toMatchObject({ kind: 'known', items: 2 });
  });

  it('does not know the number if the log has dropped events younger than ttlSeconds', async () => {
    const log = logOf(nowMs() - 3_599_000);
    const { read, log: said } = open(log.feed);
    log.replayed();
    expect(await read()).toMatchObject({
      error: { message: expect.stringMatching(/raise eventLog.maxEvents/) },
    });
    expect(said.lines).toMatchObject([{ level: 'warn', message: 'not all open work items are known yet' }]);
    const older = logOf(nowMs() - 3_600_001);
    const again = open(older.feed);
    older.replayed();
    expect(await again.read()).toMatchObject({ kind: 'known', items: 0 });
  });

  it.each([
    ['new', /new to this connection.*keep eventLog.dir/],
    ['damaged', /lost by damage/],
  ] as const)('does not know the number for ttlSeconds if the log is %s', async (because, why) => {
    const log = logOf(nowMs() - 3_599_000, because);
    const { read } = open(log.feed);
    log.replayed();
    expect(await read()).toMatchObject({ kind: 'unknown', error: { message: expect.stringMatching(why) } });
    log.take(event('queued'));
    expect(await read()).toMatchObject({ kind: 'active' });
  });

  it('opens nothing for an event more than ttlSeconds before its arrival, and logs it once', async () => {
    const log = logOf();
    const { read, log: said } = open(log.feed);
    log.replayed();
    const about = (state: ItemState, atMs: number) => [
      { backlog: 'builds', key: 'a', state, attempt: 0, atMs },
    ];
    for (const state of ['queued', 'running'] as const)
      log.take(event(state, 'a', { fact: about(state, nowMs() - 3_601_000) }));
    expect(await read()).toMatchObject({ kind: 'known', items: 0 });
    expect(said.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('ttlSeconds ago') }]);
    log.take(event('queued', 'a', { fact: about('queued', nowMs() - 3_500_000) }));
    expect(await read()).toMatchObject({ kind: 'known', items: 1 });
    // An end counts whenever it was.
    log.take(event('finished', 'a', { fact: about('finished', nowMs() - 3_601_000) }));
    expect(await read()).toMatchObject({ kind: 'known', items: 0 });
  });

  it('knows no zero of a backlog while it lacks items that had no room, and no other number less', async () => {
    const log = logOf();
    const items = [item, { ...item, backlog: 'tests' }];
    const { read, woken } = open(log.feed, { maxItems: 2, items });
    const fact = (backlog: string, key: string, state: ItemState = 'queued') => [
      { backlog, key, state, attempt: 0 },
    ];
    log.replayed();
    for (const key of ['a', 'b']) log.take(event('queued', key, { fact: fact('tests', key) }));
    log.take(event('finished', 'x', { fact: fact('builds', 'x', 'finished') }));
    expect(await read()).toMatchObject({ kind: 'known', items: 0 });
    woken.length = 0;
    log.take(event('queued', 'c'));
    log.take(event('queued', 'd'));
    expect(woken).toEqual(['builds event']);
    expect(await read()).toMatchObject({
      kind: 'unknown',
      error: { code: 'unavailable', message: expect.stringMatching(/maxItems.*raise it/) },
    });
    expect(await read(0, undefined, 'tests')).toMatchObject({ kind: 'known', items: 2 });
    log.take(event('finished', 'a', { fact: fact('tests', 'a', 'finished') }));
    log.take(event('queued', 'c'));
    expect(await read()).toMatchObject({ kind: 'known', items: 1, oldest: { atLeast: true } });
  });

  it('logs once that it cannot hold more items', () => {
    const log = logOf();
    const { log: said } = open(log.feed, { maxItems: 1 });
    log.replayed();
    for (const key of ['a', 'b', 'c']) log.take(event('queued', key));
    expect(said.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('maxItems') }]);
  });
});

describe('over the log in memory', () => {
  it('never reads as zero before ttlSeconds after the start, but shows what is active', async () => {
    const log = new MemoryEventLog({ maxEvents: 100, log: silentLogger });
    const { read } = open(log.feedOf('ci'));
    expect(await read()).toMatchObject({
      kind: 'unknown',
      error: {
        code: 'unavailable',
        message: expect.stringMatching(
          /known at \d{4}-\d\d-\d\d \d\d:\d\d UTC.*set eventLog: \{ type: file \}/,
        ),
      },
    });
    await log.append(event('queued'));
    expect(await read()).toMatchObject({ kind: 'active', why: expect.stringMatching(/^1 items by events/) });
    expect(await read(1)).toMatchObject({ kind: 'unknown' });
  });

  it('counts the time from the start of the process, even if the connection is opened again', async () => {
    const startedMs = nowMs() - 3_600_001;
    const feedOf = (atMs: number): EventFeed => {
      const log = logOf(atMs, 'memory');
      return {
        ...log.feed,
        follow: (_, replayed) => {
          replayed?.();
          return () => {};
        },
      };
    };
    expect(await open(feedOf(startedMs)).read()).toMatchObject({ kind: 'known', items: 0 });
    expect(await open(feedOf(startedMs), { ttlSeconds: 7200 }).read()).toMatchObject({ kind: 'unknown' });
  });

  it('passes kept events to a connection that is opened again, and since when it has them', async () => {
    const log = new MemoryEventLog({ maxEvents: 2, log: silentLogger });
    const { atMs: first } = log.feedOf('ci').keptSince();
    for (const key of ['a', 'b', 'c']) await log.append(event('queued', key, { receivedAtMs: first + 1000 }));
    expect(log.feedOf('ci').keptSince()).toEqual({ atMs: first + 1000, because: 'dropped' });
    const { read } = open(log.feedOf('ci'));
    expect(await read()).toMatchObject({ kind: 'active', why: expect.stringMatching(/^2 items/) });
  });
});
