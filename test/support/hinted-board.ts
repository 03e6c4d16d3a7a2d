import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Answer } from '../../src/monitor/answer.ts';
import type { Board } from '../../src/monitor/board.ts';
import { boardOf, connectionOf, referenceOf } from './board.ts';
import { hintSource, QueueService } from './hint-source.ts';

export interface HintedBoard {
  readonly board: Board;
  /** Behind its one connection, with three items in queue `a`. */
  readonly service: QueueService;
}

/** A board for each test, in time that the test moves on; at its end no timer is left. */
export function useHintedBoard(): () => HintedBoard {
  let own: HintedBoard | undefined;

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    const service = new QueueService();
    service.queues.set('a', { visible: 3, inFlight: 0 });
    own = { service, board: boardOf([connectionOf('queues', hintSource, service)]).board };
  });

  afterEach(async () => {
    await own?.board.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  return () => {
    if (own === undefined) throw new Error('the board is there inside tests only');
    return own;
  };
}

/** What KEDA would be told of a queue by a caller who never leaves. */
export function askFor(
  board: Board,
  queue = 'a',
  name = 'worker',
  more: Record<string, string> = {},
): Promise<Answer> {
  return board.answer(
    board.trigger(referenceOf({ source: 'hinted', queue, ...more }, name)),
    new AbortController(),
  );
}
