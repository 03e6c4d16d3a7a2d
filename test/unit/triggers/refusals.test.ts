import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';
import { recordingLog } from '../../support/recording-log.ts';

const service = new QueueService();
service.queues.set('a', { visible: 3, inFlight: 0 });
const connection = connectionOf('queues', hintSource, service);
let log: ReturnType<typeof recordingLog>;
let live: LiveTriggers;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  log = recordingLog();
  live = new LiveTriggers([connection], { log, limits: { refusedTriggers: 200 } });
});

afterEach(async () => {
  await live.close();
  vi.useRealTimers();
});

const wrong = { source: 'hinted', queue: 'a', quue: 'x' };

function refuse(count: number, from = 0): void {
  for (let i = from; i < from + count; i += 1) {
    expect(() => live.trigger(referenceOf(wrong, `w-${i}`))).toThrow(/quue/);
  }
}

describe('a refused reference', () => {
  it('is logged once, with its code, and again under another configuration', () => {
    refuse(1);
    refuse(1);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'a trigger is refused; logged once for the same metadata',
        fields: {
          code: 'invalid',
          error: expect.stringContaining('trigger of shop/w-0: "quue": unknown key'),
        },
      },
    ]);
    live.use([connection]);
    refuse(1);
    expect(log.lines).toHaveLength(2);
  });

  it('is limited to thirty log lines a minute, and the next line counts the others', async () => {
    refuse(100);
    expect(log.lines).toHaveLength(30);
    await vi.advanceTimersByTimeAsync(60_000);
    refuse(2, 100);
    expect(log.lines.slice(30).map(({ fields }) => 'alsoRefused' in fields && fields.alsoRefused)).toEqual([
      70,
      false,
    ]);
  });

  it('is visible: not up, with the reason, and without unknown fields', () => {
    refuse(1);
    expect(live.statuses()).toEqual([
      {
        id: expect.any(String),
        namespace: 'shop',
        name: 'w-0',
        source: '',
        connection: '',
        metricName: '',
        up: false,
        error: expect.stringContaining('quue'),
      },
    ]);
  });

  it('is remembered within limits.refusedTriggers, and takes no room from measured triggers', async () => {
    live.use([connection], { refusedTriggers: 10, triggers: 1, triggersPerNamespace: 1 });
    refuse(500);
    expect(live.statuses().map(({ name }) => name)).toEqual(
      Array.from({ length: 10 }, (_, i) => `w-${490 + i}`),
    );
    expect(await live.answer(referenceOf({ source: 'hinted', queue: 'a' }))).toMatchObject({ kind: 'known' });
  });
});
