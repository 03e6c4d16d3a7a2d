import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { Spec } from '../../../src/triggers/followers.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

/** Queues whose settings contain the name of their metrics. */
class NamedQueues extends QueueService {
  named = 'queue';
}

const namedSource: typeof hintSource = {
  ...hintSource,
  target: ({ queue, perReplica }, config) => ({
    perReplica,
    activation: 0,
    nameParts: [config instanceof NamedQueues ? config.named : 'queue', queue],
  }),
};

let service: NamedQueues;
let live: LiveTriggers;
const reference = referenceOf({ source: 'hinted', queue: 'a' });

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  service = new NamedQueues();
  service.queues.set('a', { visible: 3, inFlight: 0 });
  live = new LiveTriggers([connectionOf('queues', namedSource, service, { place: 'here' })]);
  await live.answer(reference);
});

afterEach(async () => {
  await live.close();
  vi.useRealTimers();
});

/** The same queues, elsewhere or with other credentials, and unreadable there. */
function hanging(place: string) {
  const other = new QueueService();
  other.hang = new Promise(() => {});
  return connectionOf('queues', namedSource, other, { fingerprint: `at ${place}`, place });
}

describe('a known reading', () => {
  it('is still served if the place is the same: other credentials, timeouts, namespaces', async () => {
    live.use([hanging('here')]);
    expect(await live.answer(reference)).toMatchObject({ kind: 'known', value: 3 });
  });

  it('of another place is dropped: nothing is known until that is read', async () => {
    const told: boolean[] = [];
    live.follow(reference, ({ active }) => told.push(active));
    live.use([hanging('there')]);
    const answer = expect(live.answer(reference)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('nothing has been read yet'),
    });
    expect(live.statuses()).toMatchObject([{ up: false }]);
    expect(live.statuses()[0]).not.toHaveProperty('value');
    expect(live.statuses()[0]).not.toHaveProperty('active');
    await vi.advanceTimersByTimeAsync(2_000);
    await answer;
    const opened: boolean[] = [];
    live.follow(reference, ({ active }) => opened.push(active));
    expect([told, opened]).toEqual([[true], []]);
  });

  it('of another place delays waiting callers for at most coldReadTimeoutMs', async () => {
    live.use([hanging('there')]);
    let answered = false;
    const answer = live
      .answer(reference)
      .catch(({ code }) => code)
      .finally(() => {
        answered = true;
      });
    for (let place = 0; place < 5; place += 1) {
      await vi.advanceTimersByTimeAsync(450);
      if (place < 4) expect(answered).toBe(false);
      live.use([hanging(`place ${place}`)]);
      live.trigger(reference);
    }
    expect(answered).toBe(true);
    expect(await answer).toBe('unavailable');
  });

  it('of another subject is dropped: the same reference means another queue now', async () => {
    const renamed = {
      ...namedSource,
      connect: (config: QueueService, deps: Parameters<typeof hintSource.connect>[1]) => ({
        ...hintSource.connect(config, deps),
        subject: () => ({ key: 'b', hintNames: [], need: undefined }),
      }),
    };
    service.hang = new Promise(() => {});
    live.use([connectionOf('queues', renamed, service, { fingerprint: 'renamed', place: 'here' })]);
    expect(live.statuses()).toMatchObject([{ up: false }]);
  });
});

describe('a trigger without `connection`', () => {
  const sibling = connectionOf('sibling', namedSource, new QueueService());
  const own = connectionOf('queues', namedSource, new QueueService(), {
    fingerprint: 'queues',
    place: 'here',
  });

  it('is refused everywhere once a second connection fits as well, and measured again without it', async () => {
    const told: boolean[] = [];
    live.follow(reference, ({ active }) => told.push(active));
    live.use([own, sibling]);
    expect(() => live.trigger(reference)).toThrow(/connection: must be named, 2 fit: queues, sibling/);
    expect(live.statuses()).toMatchObject([{ up: false, error: expect.stringContaining('must be named') }]);
    expect(live.statuses()[0]).not.toHaveProperty('active');
    const reads = service.reads.length;
    service.queues.set('a', { visible: 0, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.reads.length).toBe(reads);
    expect(told).toEqual([true]);
    live.use([own]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(live.statuses()).toMatchObject([{ up: true, value: 0 }]);
    expect(told).toEqual([true, false]);
    expect(live.trigger(reference).spec.metricName).toBe('hinted-queue-a');
  });

  it('ignores a connection that its namespace may not use', () => {
    live.use([own, { ...sibling, namespaces: ['bank'] }]);
    expect(live.trigger(reference).spec.metricName).toBe('hinted-queue-a');
  });
});

describe('the spec', () => {
  it('is sent on open, and again when a changed configuration changes it', async () => {
    const specs: Spec[] = [];
    const end = live.trigger(reference).followSpec((spec) => specs.push(spec));
    const other = new NamedQueues();
    other.named = 'elsewhere';
    live.use([connectionOf('queues', namedSource, service, { fingerprint: 'queues', place: 'here' })]);
    expect(specs.map(({ metricName }) => metricName)).toEqual(['hinted-queue-a']);
    live.use([connectionOf('queues', namedSource, other, { fingerprint: 'other', place: 'there' })]);
    expect(specs.map(({ metricName }) => metricName)).toEqual(['hinted-queue-a', 'hinted-elsewhere-a']);
    end();
    live.use([connectionOf('queues', namedSource, service, { fingerprint: 'queues', place: 'here' })]);
    expect(specs).toHaveLength(2);
  });
});

describe('limits', () => {
  it('apply to live triggers: how old a reading may be, and how long a trigger is kept', async () => {
    const connections = [connectionOf('queues', namedSource, service, { place: 'here' })];
    service.faults.set('a', new ScalerError('unavailable', 'down'));
    live.use(connections, { maxStalenessSeconds: 10, leaseSeconds: 30 });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(live.statuses()).toMatchObject([{ up: false }]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(live.statuses()).toEqual([]);
  });
});

it('thousands of triggers are resolved again in turns, and one that is called before at once', async () => {
  const many = Array.from({ length: 1_500 }, (_, i) =>
    referenceOf({ source: 'hinted', queue: 'a' }, `w-${i}`),
  );
  for (const one of many) live.follow(one);
  let clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (clock += 1));
  const moved = new NamedQueues();
  moved.named = 'moved';
  live.use([connectionOf('queues', namedSource, moved, { fingerprint: 'moved', place: 'here' })]);
  const last = many.at(-1);
  if (last) expect(live.trigger(last).spec.metricName).toBe('hinted-moved-a');
  vi.restoreAllMocks();
  expect(live.statuses().every(({ metricName }) => metricName === 'hinted-moved-a')).toBe(true);
});
