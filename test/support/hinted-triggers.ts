import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Answer } from '../../src/triggers/measurement.ts';
import { hintSource, QueueService } from './hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from './live-triggers.ts';

export interface HintedTriggers {
  readonly live: LiveTriggers;
  /** The service behind their one connection, with three items in queue `a`. */
  readonly service: QueueService;
}

/** Live triggers for each test, with time that the test moves on. No timer may be left at its end. */
export function useHintedTriggers(): () => HintedTriggers {
  let own: HintedTriggers | undefined;

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    const service = new QueueService();
    service.queues.set('a', { visible: 3, inFlight: 0 });
    own = { service, live: new LiveTriggers([connectionOf('queues', hintSource, service)]) };
  });

  afterEach(async () => {
    await own?.live.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  return () => {
    if (own === undefined) throw new Error('the triggers are there inside tests only');
    return own;
  };
}

/** The answer about a queue for a caller who never leaves. */
export function askFor(
  live: LiveTriggers,
  queue = 'a',
  name = 'worker',
  more: Record<string, string> = {},
): Promise<Answer> {
  return live.answer(referenceOf({ source: 'hinted', queue, ...more }, name));
}
