import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FairTurns, inTurns, ownTurn, stepByStep } from '../../src/turns.ts';

describe('turns of the event loop', () => {
  it('are had by one at a time', async () => {
    const had: string[] = [];
    for (const who of ['a', 'b', 'c']) void ownTurn().then(() => had.push(who));
    const seen: string[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      await nextTurn();
      seen.push(had.join(''));
    }
    expect(seen.at(-1)).toBe('abc');
    expect(seen).toEqual(expect.arrayContaining(['a', 'ab', 'abc']));
  });

  it('take a list apart', async () => {
    const parts: (readonly number[])[] = [];
    for await (const part of inTurns([1, 2, 3, 4, 5], 2)) parts.push(part);
    expect(parts).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('are had by each step but the first, and others have theirs in between', async () => {
    const seen: string[] = [];
    function* steps(who: string): Generator<undefined, string> {
      for (const step of [1, 2, 3]) {
        seen.push(`${who}${step}`);
        yield;
      }
      return who;
    }
    expect(await Promise.all([stepByStep(steps('a')), stepByStep(steps('b'))])).toEqual(['a', 'b']);
    expect(seen).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
  });

  it('are shared by those who ask, however much one of them asks', async () => {
    const turns = new FairTurns(2);
    const begun: string[] = [];
    const ask = (who: string, count: number): void => {
      for (let asked = 1; asked <= count; asked += 1)
        turns.add(who, () => Math.sign(begun.push(`${who}${asked}`)));
    };
    ask('a', 5);
    ask('b', 1);
    expect(begun).toEqual([]);
    await nextTurn();
    expect(begun).toEqual(['a1', 'b1']);
    ask('c', 2);
    await nextTurn();
    expect(begun.slice(2)).toEqual(['a2', 'c1']);
    await nextTurn();
    await nextTurn();
    await nextTurn();
    expect(begun.slice(4)).toEqual(['a3', 'c2', 'a4', 'a5']);
    // And again after a rest; what has become void takes nobody's place.
    for (let at = 0; at < 10; at += 1) turns.add('a', () => 0);
    ask('a', 1);
    await nextTurn();
    expect(begun.slice(8)).toEqual(['a1']);
  });

  it('come back to who has had much when the others have had as much', async () => {
    const turns = new FairTurns(4);
    const had: string[] = [];
    const ask = (who: string, much: number): void =>
      turns.add(who, () => {
        had.push(who);
        return much;
      });
    for (let asked = 0; asked < 3; asked += 1) ask('a', 10);
    for (let asked = 0; asked < 15; asked += 1) ask('b', 1);
    for (let turn = 0; turn < 8; turn += 1) await nextTurn();
    expect(had.join('')).toBe('abbbbbbbbbbabbbbba');
  });

  it('are had again by who asks in the middle of one', async () => {
    const turns = new FairTurns(4);
    let had = 0;
    const again = (): number => {
      had += 1;
      if (had < 3) turns.add('a', again);
      return 1;
    };
    turns.add('a', again);
    await nextTurn();
    expect(had).toBe(3);
  });
});
