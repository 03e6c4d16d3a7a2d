import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { Decision } from '../../../src/triggers/decision.ts';
import { sweepMs } from '../../../src/triggers/triggers.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { JobLedger, ledgerSource } from '../../support/ledger-source.ts';
import { connectionOf, LiveTriggers, limits, referenceOf } from '../../support/live-triggers.ts';

let service: QueueService;
let ledger: JobLedger;
let decided: Decision[];
let live: LiveTriggers;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  service = new QueueService();
  ledger = new JobLedger();
  decided = [];
  const connections = [connectionOf('queues', hintSource, service), connectionOf('ci', ledgerSource, ledger)];
  live = new LiveTriggers(connections, { decided: (decision) => decided.push(decision) });
});

afterEach(async () => {
  await live.close();
  vi.useRealTimers();
});

const queue = { source: 'hinted', queue: 'a', maxStalenessSeconds: '60' };

function ask(metadata: Record<string, string> = queue, name = 'worker') {
  const answer = live.answer(referenceOf(metadata, name));
  return answer.catch((reason: unknown) => ScalerError.from(reason));
}

/** Follows the trigger, so that it is kept without calls. */
function keep(metadata: Record<string, string> = queue, name = 'worker'): void {
  live.follow(referenceOf(metadata, name), () => {});
}

function waiting(visible: number): void {
  service.queues.set('a', { visible, inFlight: 0 });
}

const told = () => decided.map(({ kind, cause }) => `${kind} (${cause})`);

describe('activity', () => {
  it('is reported when it is first known to be active, and not when it is idle', async () => {
    waiting(3);
    await ask();
    service.queues.set('b', { visible: 0, inFlight: 0 });
    await ask({ source: 'hinted', queue: 'b' });
    expect(decided).toMatchObject([
      { kind: 'activated', cause: 'start', value: 3, ageMs: 0, lastedMs: undefined, error: undefined },
    ]);
    expect(decided[0]?.trigger.reference).toMatchObject({ namespace: 'shop', name: 'worker' });
  });

  it('is reported with the cause of the wake, otherwise of the clock', async () => {
    waiting(0);
    await ask();
    await vi.advanceTimersByTimeAsync(5_000);
    waiting(2);
    live.hint('queues', 'a', 'sns');
    await vi.advanceTimersByTimeAsync(0);
    waiting(0);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told()).toEqual(['activated (sns)', 'deactivated (clock)']);
    expect(decided.map(({ lastedMs, value }) => [lastedMs, value])).toEqual([
      [5_000, 2],
      [expect.any(Number), 0],
    ]);
  });

  it('has the first of the wakes that caused the read', async () => {
    waiting(0);
    await ask();
    await vi.advanceTimersByTimeAsync(5_000);
    waiting(1);
    live.hint('queues', 'a', 'hint');
    live.hint('queues', 'a', 'event');
    await vi.advanceTimersByTimeAsync(0);
    expect(told()).toEqual(['activated (hint)']);
  });

  it('does not have a wake that came during the read: that belongs to the next', async () => {
    waiting(0);
    await ask();
    await vi.advanceTimersByTimeAsync(5_000);
    let release = () => {};
    service.hang = new Promise((resolve) => {
      release = resolve;
    });
    live.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(0);
    live.hint('queues', 'a', 'sns');
    service.hang = undefined;
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect(told()).toEqual([]);
    waiting(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told()).toEqual(['activated (sns)']);
  });

  it('is reported for each trigger of the subject', async () => {
    waiting(1);
    for (let i = 0; i < 100; i += 1) await ask(queue, `worker-${i}`);
    expect(new Set(decided.map(({ trigger }) => trigger.reference.name)).size).toBe(100);
    expect(decided.length).toBe(100);
  });
});

describe('failing', () => {
  const down = new ScalerError('unavailable', 'the service is down');

  it('is reported when the reading is too old, by the sweep if no call comes, and ends with a read', async () => {
    waiting(3);
    keep();
    await vi.advanceTimersByTimeAsync(0);
    service.hang = new Promise(() => {});
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual(['activated (start)']);
    await vi.advanceTimersByTimeAsync(2_000 + sweepMs);
    service.hang = undefined;
    expect(told()).toEqual(['activated (start)', 'failing (clock)']);
    expect(decided[1]).toMatchObject({
      value: undefined,
      error: expect.stringMatching(
        /^hinted trigger of shop\/worker: the last good reading is 6\d s old, more than maxStalenessSeconds \(60\)/,
      ),
    });
    expect(decided[1]?.ageMs).toBeGreaterThan(60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual(['activated (start)', 'failing (clock)', 'recovered (clock)']);
    expect(decided[2]).toMatchObject({ value: 3, error: undefined });
  });

  it('is reported at once to a caller', async () => {
    waiting(3);
    await ask();
    service.hang = new Promise(() => {});
    await vi.advanceTimersByTimeAsync(62_500);
    decided = [];
    const answer = await ask();
    expect(decided).toMatchObject([{ kind: 'failing', error: ScalerError.from(answer).message }]);
    await ask();
    expect(decided).toHaveLength(1);
  });

  it('is reported at once if the read of a wake fails', async () => {
    waiting(3);
    keep({ ...queue, maxStalenessSeconds: '10' });
    await vi.advanceTimersByTimeAsync(0);
    service.faults.set('a', new ScalerError('unavailable', 'slow down', { retryAfterMs: 12_000 }));
    await vi.advanceTimersByTimeAsync(sweepMs * 2 + 1_000);
    expect(told()).toEqual(['activated (start)']);
    live.hint('queues', 'a', 'sns');
    // As soon as the service may be read again, and before the next sweep.
    await vi.advanceTimersByTimeAsync(sweepMs - 1_001);
    expect(told().slice(1)).toEqual(['failing (sns)']);
  });

  it('is not reported for failed reads while an answer exists', async () => {
    waiting(3);
    await ask();
    service.faults.set('a', down);
    await vi.advanceTimersByTimeAsync(50_000);
    service.faults.clear();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual(['activated (start)']);
  });

  it('is reported for a cold trigger when its time is up, with the error that KEDA gets', async () => {
    keep();
    await vi.advanceTimersByTimeAsync(limits.coldReadTimeoutMs - 1);
    expect(decided).toEqual([]);
    await vi.advanceTimersByTimeAsync(sweepMs);
    expect(decided).toMatchObject([{ kind: 'failing', cause: 'start', ageMs: undefined, value: undefined }]);
    expect(decided[0]?.error).toContain('queue a does not exist');
    waiting(0);
    await vi.advanceTimersByTimeAsync(60_000);
    waiting(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual(['failing (start)', 'recovered (clock)', 'activated (clock)']);
  });

  it('is reported once for a ledger that knows of work but not how much', async () => {
    const jobs = { source: 'ledger', repos: 'web' };
    keep(jobs);
    ledger.queued('web');
    await vi.advanceTimersByTimeAsync(sweepMs);
    expect(told()).toEqual(['activated (webhook)', 'failing (start)']);
    ledger.reconcile(['web'], performance.now());
    await vi.advanceTimersByTimeAsync(0);
    expect(told().slice(2)).toEqual(['recovered (reconcile)']);
    expect(decided[2]).toMatchObject({ value: 1 });
  });

  it('is reported when the connection goes, and the rest continues when it is back', async () => {
    waiting(3);
    keep();
    await vi.advanceTimersByTimeAsync(0);
    live.use([]);
    await vi.advanceTimersByTimeAsync(60_000 + sweepMs);
    expect(told()).toEqual(['activated (start)', 'failing (clock)']);
    live.use([connectionOf('queues', hintSource, service)]);
    await vi.advanceTimersByTimeAsync(0);
    expect(told().slice(2)).toEqual(['recovered (clock)']);
  });

  it('is silent when triggers move to a changed connection', async () => {
    waiting(3);
    keep();
    await vi.advanceTimersByTimeAsync(0);
    const changed = connectionOf('queues', hintSource, service, { fingerprint: 'changed' });
    live.use([changed]);
    await vi.advanceTimersByTimeAsync(sweepMs * 4);
    expect(told()).toEqual(['activated (start)']);
  });
});

it('an unchanged snapshot reports nothing', async () => {
  waiting(3);
  keep();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(service.readsOf('a')).toBeGreaterThan(100);
  expect(told()).toEqual(['activated (start)']);
});
