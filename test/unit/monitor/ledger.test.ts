import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Board } from '../../../src/monitor/board.ts';
import { boardOf, connectionOf, referenceOf } from '../../support/board.ts';
import { JobLedger, ledgerSource } from '../../support/ledger-source.ts';

let ledger: JobLedger;
let board: Board;
const never = new AbortController();
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  ledger = new JobLedger();
  board = boardOf([connectionOf('ci', ledgerSource, ledger)], { coldReadTimeoutMs: 50 }).board;
});

afterEach(() => board.close());

const trigger = (repos: string, name = 'runners') =>
  board.trigger(referenceOf({ source: 'ledger', repos }, name));

describe('a ledger', () => {
  it('pushes `true` before the number is known; the number is UNAVAILABLE until it is', async () => {
    const told: boolean[] = [];
    board.follow(trigger('web'), ({ active }) => told.push(active));
    await expect(board.answer(trigger('web'), never)).rejects.toThrow(/first sync of web is not done/);
    ledger.queued('web');
    await settle();
    expect(told).toEqual([true]);
    expect(await board.answer(trigger('web'), never)).toEqual({
      kind: 'active',
      why: 'the first sync of web is not done',
    });
    ledger.reconcile(['web'], performance.now());
    await settle();
    expect(await board.answer(trigger('web'), never)).toMatchObject({
      kind: 'known',
      value: 1,
      active: true,
    });
    expect(told).toEqual([true]);
  });

  it('holds readiness back until its first sync is done', async () => {
    expect(board.syncing()).toEqual(['ci']);
    ledger.reconcile([], performance.now());
    await settle();
    expect(board.syncing()).toEqual([]);
  });

  it('holds readiness back no longer than firstSyncTimeoutSeconds', async () => {
    const { board: hasty } = boardOf([connectionOf('ci', ledgerSource, new JobLedger())], {
      firstSyncTimeoutSeconds: 0.02,
    });
    expect(hasty.syncing()).toEqual(['ci']);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(hasty.syncing()).toEqual([]);
    await hasty.close();
  });

  it('is told the merged needs of the triggers that live, equal ones once', async () => {
    ledger.reconcile(['web', 'api'], performance.now());
    await board.answer(trigger('web', 'a'), never);
    await board.answer(trigger('web', 'b'), never);
    await board.answer(trigger('api,web', 'c'), never);
    expect(ledger.needed).toEqual([['web'], ['api', 'web']]);
  });

  it('is read again for a need it was not read with', async () => {
    ledger.reconcile(['web'], performance.now());
    await board.answer(trigger('web'), never);
    ledger.waiting.set('api', 2);
    ledger.synced.add('api');
    expect(await board.answer(trigger('api', 'other'), never)).toMatchObject({ value: 2 });
  });

  it('is read at every event, not once a second: its reads cost the upstream nothing', async () => {
    ledger.reconcile(['web'], performance.now());
    await board.answer(trigger('web'), never);
    for (let jobs = 1; jobs <= 20; jobs += 1) {
      ledger.queued('web');
      await settle();
      expect(await board.answer(trigger('web'), never)).toMatchObject({ value: jobs });
    }
  });

  it('ages from its last completed reconcile, by its own limit', async () => {
    ledger.reconcile(['web'], performance.now() - 3_000_000);
    expect(await board.answer(trigger('web'), never)).toMatchObject({ ageMs: expect.closeTo(3_000_000, -3) });
    ledger.reconcile(['web'], performance.now() - 3_700_000);
    await settle();
    await expect(board.answer(trigger('web'), never)).rejects.toThrow(
      /more than maxStalenessSeconds \(3600\)/,
    );
  });
});
