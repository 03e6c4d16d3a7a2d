import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Told } from '../../../src/triggers/decision.ts';

type Known = boolean | undefined;
type Step = readonly [active: Known, up: Known];

/** The messages at each step, a second apart. */
function told(steps: readonly Step[]): string[][] {
  const trigger = new Told();
  return steps.map(([active, up], i) => trigger.take(active, up, i * 1000).map(({ kind }) => kind));
}

const cold: Step = [undefined, undefined];
const idle: Step = [false, true];
const busy: Step = [true, true];
/** Known to be active without a number, or the number is too old. */
const busyDown: Step = [true, false];
const idleDown: Step = [false, false];
const down: Step = [undefined, false];

describe('the decisions about a trigger', () => {
  it.each<[string, Step[], string[][]]>([
    ['nothing while nothing is known', [cold, cold], [[], []]],
    ['nothing of one that is idle when it is first known', [cold, idle, idle], [[], [], []]],
    ['one that is active when it is first known', [cold, busy], [[], ['activated']]],
    [
      'each change of activity once',
      [idle, busy, busy, idle, idle],
      [[], ['activated'], [], ['deactivated'], []],
    ],
    ['one that is never known', [cold, down, down], [[], ['failing'], []]],
    [
      'one that fails and comes back as it was',
      [busy, busyDown, busy],
      [['activated'], ['failing'], ['recovered']],
    ],
    ['recovered before active', [down, busy], [['failing'], ['recovered', 'activated']]],
    ['active before failing', [idle, busyDown], [[], ['activated', 'failing']]],
    ['active while it fails: that is pushed', [idle, idleDown, busyDown], [[], ['failing'], ['activated']]],
    [
      'idle only when KEDA can be told',
      [busy, busyDown, idleDown, idle],
      [['activated'], ['failing'], [], ['recovered', 'deactivated']],
    ],
    [
      'nothing of activity that came and went while it failed',
      [busy, idleDown, busyDown, busy],
      [['activated'], ['failing'], [], ['recovered']],
    ],
    [
      'active and not counted yet',
      [[true, undefined], busyDown, busy],
      [['activated'], ['failing'], ['recovered']],
    ],
  ])('%s', (_, steps, expected) => {
    expect(told(steps)).toEqual(expected);
  });

  it('show how long the ended state had lasted', () => {
    const trigger = new Told();
    expect(trigger.take(true, true, 100)).toEqual([{ kind: 'activated', lastedMs: undefined }]);
    expect(trigger.take(true, false, 400)).toEqual([{ kind: 'failing', lastedMs: 300 }]);
    expect(trigger.take(false, true, 1400)).toEqual([
      { kind: 'recovered', lastedMs: 1000 },
      { kind: 'deactivated', lastedMs: 1300 },
    ]);
  });

  it('alternate, and end in the trigger’s state', () => {
    const known = fc.constantFrom(true, false);
    fc.assert(
      fc.property(fc.array(fc.tuple(known, known)), (steps) => {
        const kinds = told([...steps, idle]).flat();
        const activity = kinds.filter((kind) => kind === 'activated' || kind === 'deactivated');
        const health = kinds.filter((kind) => kind === 'failing' || kind === 'recovered');
        expect(activity).toEqual(activity.map((_, i) => (i % 2 === 0 ? 'activated' : 'deactivated')));
        expect(health).toEqual(health.map((_, i) => (i % 2 === 0 ? 'failing' : 'recovered')));
        expect(activity.length % 2).toBe(0);
        expect(health.length % 2).toBe(0);
      }),
    );
  });
});
