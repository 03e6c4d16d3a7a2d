import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JobLedger, ledgerSource } from '../../support/ledger-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

let ledger: JobLedger;
let live: LiveTriggers;
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  ledger = new JobLedger();
  live = new LiveTriggers([connectionOf('ci', ledgerSource, ledger)], { limits: { coldReadTimeoutMs: 50 } });
});

afterEach(() => live.close());

const runners = (repos: string, name = 'runners') => referenceOf({ source: 'ledger', repos }, name);

describe('a ledger', () => {
  it('pushes `true` before the number is known; the number is UNAVAILABLE until it is', async () => {
    const told: boolean[] = [];
    live.follow(runners('web'), ({ active }) => told.push(active));
    await expect(live.answer(runners('web'))).rejects.toThrow(/first sync of web is not done/);
    ledger.queued('web');
    await settle();
    expect(told).toEqual([true]);
    expect(await live.answer(runners('web'))).toEqual({
      kind: 'uncounted',
      active: true,
      why: 'the first sync of web is not done',
    });
    ledger.reconcile(['web'], performance.now());
    await settle();
    expect(await live.answer(runners('web'))).toMatchObject({
      kind: 'known',
      value: 1,
      active: true,
    });
    expect(told).toEqual([true]);
  });

  it('holds readiness back until its first sync is done', async () => {
    expect(live.connections.syncing()).toEqual(['ci']);
    ledger.reconcile([], performance.now());
    await settle();
    expect(live.connections.syncing()).toEqual([]);
  });

  it('holds readiness back no longer than firstSyncTimeoutSeconds', async () => {
    const hasty = new LiveTriggers([connectionOf('ci', ledgerSource, new JobLedger())], {
      limits: { firstSyncTimeoutSeconds: 0.02 },
    });
    expect(hasty.connections.syncing()).toEqual(['ci']);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(hasty.connections.syncing()).toEqual([]);
    expect(hasty.connections.overdue()).toEqual(['ci']);
    await hasty.close();
  });

  it('is told the merged needs of the triggers that live, equal ones once', async () => {
    ledger.reconcile(['web', 'api'], performance.now());
    await live.answer(runners('web', 'a'));
    await live.answer(runners('web', 'b'));
    await live.answer(runners('api,web', 'c'));
    expect(ledger.needed).toEqual([['web'], ['api', 'web']]);
  });

  it('is read again for a need it was not read with', async () => {
    ledger.reconcile(['web'], performance.now());
    await live.answer(runners('web'));
    ledger.waiting.set('api', 2);
    ledger.synced.add('api');
    expect(await live.answer(runners('api', 'other'))).toMatchObject({ value: 2 });
  });

  it('is read at every event, not once a second: its reads cost the upstream nothing', async () => {
    ledger.reconcile(['web'], performance.now());
    await live.answer(runners('web'));
    for (let jobs = 1; jobs <= 20; jobs += 1) {
      ledger.queued('web');
      await settle();
      expect(await live.answer(runners('web'))).toMatchObject({ value: jobs });
    }
  });

  it('ages from its last completed reconcile, by its own limit', async () => {
    ledger.reconcile(['web'], performance.now() - 3_000_000);
    await live.answer(runners('web'));
    expect(live.statuses()).toMatchObject([{ ageMs: expect.closeTo(3_000_000, -3) }]);
    ledger.reconcile(['web'], performance.now() - 3_700_000);
    await settle();
    await expect(live.answer(runners('web'))).rejects.toThrow(/more than maxStalenessSeconds \(3600\)/);
  });
});
