import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Excuse, Invariants, type Said, type Truth } from '../../../chaos/invariants.ts';

const boundMs = 1000;
const maxStalenessMs = 5000;
const everyMs = 50;
const subject = { name: 'orders', boundMs, maxStalenessMs };

/** An input of the checker, in the order of time. */
type Step = { readonly atMs: number } & (
  | { readonly truth: number | Truth }
  | { readonly says: number | boolean | 'error' }
  | { readonly pushes: boolean }
  | { readonly broken: true }
  | { readonly healed: true; readonly graceMs?: number }
  | { readonly starved: true }
  | { readonly excuse: Excuse }
);

/** The broken rules, in order, once for each breach. Nothing is broken from 0 on. */
function judged(steps: readonly Step[], { finish, failForMs }: { finish?: number; failForMs?: number } = {}) {
  const invariants = new Invariants(failForMs === undefined ? {} : { failForMs });
  invariants.add(subject, 0);
  invariants.healed(0);
  for (const step of steps) tell(invariants, step);
  if (finish !== undefined) invariants.finish(finish);
  return invariants.breaches.map(({ rule }) => rule);
}

function tell(invariants: Invariants, step: Step): void {
  const { atMs } = step;
  if ('truth' in step) invariants.truth('orders', atMs, rangeOf(step.truth));
  else if ('pushes' in step) invariants.pushed('orders', atMs, step.pushes);
  else if ('broken' in step) invariants.broken(atMs);
  else if ('starved' in step) invariants.starved(atMs);
  else if ('excuse' in step) invariants.excuse(step.excuse);
  else if ('healed' in step) invariants.healed(atMs, step.graceMs);
  else
    invariants.answer({
      subject: 'orders',
      call: 'C',
      askedMs: atMs,
      answeredMs: atMs,
      said: saidOf(step.says),
    });
}

function rangeOf(truth: number | Truth): Truth {
  return typeof truth === 'number' ? { least: truth, most: truth } : truth;
}

function saidOf(says: number | boolean | 'error'): Said {
  if (says === 'error') return { kind: 'error', message: 'UNAVAILABLE' };
  return typeof says === 'number' ? { kind: 'number', items: says } : { kind: 'activity', active: says };
}

const pushed = { atMs: 2000, pushes: true } as const;
const grown = { atMs: 2000, truth: 7 } as const;

describe('answers while nothing is broken', () => {
  it.each<[what: string, steps: Step[], rules: string[]]>([
    ['the truth', [grown, pushed, { atMs: 5000, says: 7 }, { atMs: 5000, says: true }], []],
    ['what was true within the bound', [grown, pushed, { atMs: 2999, says: 0 }], []],
    [
      '0 for longer than the bound',
      [grown, pushed, { atMs: 3001, says: 0 }],
      ['zero for a backlog that is not'],
    ],
    ['inactive for longer', [grown, pushed, { atMs: 3001, says: false }], ['zero for a backlog that is not']],
    ['too few', [grown, pushed, { atMs: 3001, says: 6 }], ['wrong number']],
    ['too many', [grown, pushed, { atMs: 3001, says: 8 }], ['wrong number']],
    ['active for nothing', [{ atMs: 3001, says: true }], ['wrong number']],
    ['an error', [{ atMs: 3001, says: 'error' }], ['no answer though nothing is broken']],
    [
      'a number that was, long ago',
      [grown, pushed, { atMs: 2500, truth: 0 }, { atMs: 3501, says: 7 }],
      ['wrong number'],
    ],
  ])('%s', (_, steps, rules) => {
    expect(judged(steps)).toEqual(rules);
  });

  it('an unanswered write may have happened or not', () => {
    const begun: Step = { atMs: 2000, truth: { least: 0, most: 7 } };
    expect(
      judged([begun, { atMs: 9000, says: 0 }, { atMs: 9000, says: 7 }, { atMs: 9000, says: 3 }]),
    ).toEqual([]);
    expect(judged([begun, { atMs: 9000, says: 8 }])).toEqual(['wrong number']);
  });
});

describe('answers while something is broken', () => {
  const broken: Step = { atMs: 2500, broken: true };

  it.each<[what: string, steps: Step[], rules: string[]]>([
    ['an error', [broken, { atMs: 3000, says: 'error' }], []],
    [
      'the last number, within its staleness',
      [broken, { atMs: 3000, truth: 9 }, { atMs: 8900, says: 7 }],
      [],
    ],
    [
      'the last number, for too long',
      [broken, { atMs: 3000, truth: 9 }, { atMs: 9001, says: 7 }],
      ['wrong number'],
    ],
    [
      '0 that was true, for too long',
      [{ atMs: 2501, truth: 0 }, { atMs: 2502, truth: 3 }, broken, { atMs: 8503, says: 0 }],
      ['zero for a backlog that is not'],
    ],
    ['0 that never was true', [broken, { atMs: 9000, says: 0 }], ['zero for a backlog that is not']],
  ])('%s', (_, steps, rules) => {
    const inOrder = [grown, pushed, ...steps].sort((a, b) => a.atMs - b.atMs);
    expect(judged(inOrder)).toEqual(rules);
  });
});

describe('after healing', () => {
  const outage: Step[] = [grown, pushed, { atMs: 2500, broken: true }, { atMs: 6000, healed: true }];

  it('an error is a breach only after the bound', () => {
    expect(judged([...outage, { atMs: 6999, says: 'error' }])).toEqual([]);
    expect(judged([...outage, { atMs: 7001, says: 'error' }])).toEqual([
      'no answer though nothing is broken',
    ]);
  });

  it('what recovers by itself has its grace beside the bound', () => {
    const healed: Step[] = [
      { atMs: 2500, broken: true },
      { atMs: 6000, healed: true, graceMs: 3000 },
    ];
    expect(judged([...healed, { atMs: 9999, says: 'error' }])).toEqual([]);
    expect(judged([...healed, { atMs: 10_001, says: 'error' }])).toEqual([
      'no answer though nothing is broken',
    ]);
  });

  it('a job that is lost for good is a wrong number', () => {
    expect(judged([...outage, { atMs: 9000, says: 6 }])).toEqual(['wrong number']);
  });

  it('the slowest right answer is reported', () => {
    const invariants = new Invariants();
    invariants.add(subject, 0);
    for (const step of [...outage, { atMs: 6200, says: 'error' }, { atMs: 6400, says: 7 }] as Step[])
      tell(invariants, step);
    expect(invariants.tally.slowestAfterHealingMs).toBe(400);
  });
});

describe('a machine that was too busy', () => {
  it('gives every backlog its bound again, and kept readings their staleness', () => {
    const until: Step[] = [grown, pushed, { atMs: 6000, starved: true }];
    expect(judged([...until, { atMs: 6900, says: 'error' }, { atMs: 6900, says: 0 }])).toEqual([]);
    expect(judged([...until, { atMs: 7001, says: 'error' }])).toEqual(['no answer though nothing is broken']);
    expect(judged([...until, { atMs: 8001, says: 0 }])).toEqual(['zero for a backlog that is not']);
  });

  it('lets old answers be right for longer, also while something is broken', () => {
    const broken: Step[] = [grown, pushed, { atMs: 2500, broken: true }, { atMs: 3000, truth: 9 }];
    const starved: Step = { atMs: 8000, starved: true };
    expect(judged([...broken, { atMs: 9500, says: 7 }])).toEqual(['wrong number']);
    expect(judged([...broken, starved, { atMs: 9500, says: 7 }])).toEqual([]);
    expect(judged([...broken, starved, { atMs: 15_000, says: 7 }])).toEqual(['wrong number']);
  });

  it('heals nothing', () => {
    const broken: Step[] = [
      { atMs: 2500, broken: true },
      { atMs: 3000, starved: true },
    ];
    expect(judged([...broken, { atMs: 9000, says: 'error' }])).toEqual([]);
  });
});

describe('edges', () => {
  const late: Step = { atMs: 3001, says: 7 };

  it.each<[what: string, steps: Step[], rules: string[]]>([
    ['told', [grown, pushed, late], []],
    [
      'told while the write was not answered yet',
      [{ atMs: 1900, truth: { least: 0, most: 7 } }, { atMs: 1950, pushes: true }, grown, late],
      [],
    ],
    ['not told', [grown, late], ['lost edge']],
    ['told before', [{ atMs: 1500, pushes: true }, grown, late], ['lost edge']],
    ['only `false` was told', [grown, { atMs: 2001, pushes: false }, late], ['lost edge']],
    ['over before anybody had to know', [grown, { atMs: 2500, truth: 0 }, { atMs: 4000, says: 0 }], []],
    [
      'empty for so short that nobody need have seen it',
      [grown, pushed, { atMs: 2500, truth: 0 }, { atMs: 2600, truth: 1 }, { atMs: 3700, says: 1 }],
      [],
    ],
    ['while something is broken', [{ atMs: 1900, broken: true }, grown, { atMs: 9000, says: 'error' }], []],
    [
      'still not told after healing',
      [{ atMs: 1900, broken: true }, grown, { atMs: 6000, healed: true }, { atMs: 7001, says: 7 }],
      ['lost edge'],
    ],
    [
      'told after healing',
      [
        { atMs: 1900, broken: true },
        grown,
        { atMs: 6000, healed: true },
        { atMs: 6900, pushes: true },
        { atMs: 7001, says: 7 },
      ],
      [],
    ],
  ])('%s', (_, steps, rules) => {
    expect(judged(steps)).toEqual(rules);
  });

  it('a late one at the end is lost too', () => {
    expect(judged([{ atMs: 1500, says: 0 }, grown], { finish: 3001 })).toEqual(['lost edge']);
  });
});

describe('calls that fail', () => {
  const broken: Step = { atMs: 2000, broken: true };
  const failing = (...atMs: number[]): Step[] => atMs.map((at) => ({ atMs: at, says: 'error' }));
  const once: Step = { atMs: 1500, says: 0 };

  it('may fail for their limit', () => {
    expect(
      judged([once, broken, ...failing(2100, 2600, 3100), { atMs: 3200, says: 0 }], { failForMs: 1000 }),
    ).toEqual([]);
  });

  it('may not fail for longer', () => {
    expect(judged([once, broken, ...failing(2100, 2600, 3101)], { failForMs: 1000 })).toEqual([
      'calls fail for too long',
    ]);
  });

  it('may fail longer while they are excused, and for their limit before and afterwards', () => {
    const steps: Step[] = [
      once,
      broken,
      ...failing(2100, 3000),
      { atMs: 3050, excuse: 'all' },
      ...failing(3100, 6000, 9000),
      { atMs: 9100, excuse: 'nothing' },
      ...failing(9200, 10_200),
    ];
    expect(judged(steps, { failForMs: 1000 })).toEqual([]);
    expect(judged([...steps, ...failing(10_201)], { failForMs: 1000 })).toEqual(['calls fail for too long']);
    expect(judged([once, broken, ...failing(2100, 3101), ...steps.slice(4)], { failForMs: 1000 })).toEqual([
      'calls fail for too long',
    ]);
  });

  it.each<[what: string, lastItems: number, call: string, rules: string[]]>([
    ['the number of an empty backlog', 0, 'GetMetrics', []],
    ['its activity', 0, 'IsActive', ['calls fail for too long']],
    ['the number of another', 7, 'GetMetrics', ['calls fail for too long']],
  ])('may fail where only numbers of what wakes are excused: %s', (_, lastItems, call, rules) => {
    const invariants = new Invariants({ failForMs: 1000 });
    invariants.add(subject, 0);
    const answer = (atMs: number, said: Said) =>
      invariants.answer({ subject: 'orders', call, askedMs: atMs, answeredMs: atMs, said });
    invariants.truth('orders', 1000, rangeOf(lastItems));
    answer(1500, { kind: 'number', items: lastItems });
    invariants.excuse('numbers of what wakes');
    for (const atMs of [2100, 3101]) answer(atMs, { kind: 'error', message: 'UNAVAILABLE' });
    expect(invariants.breaches.map(({ rule }) => rule)).toEqual(rules);
  });

  it('are counted while they are excused, and numbers are judged all the same', () => {
    const invariants = new Invariants({ failForMs: 1000 });
    invariants.add(subject, 0);
    const steps: Step[] = [
      grown,
      { atMs: 2500, excuse: 'all' },
      ...failing(3000, 4000),
      { atMs: 9000, says: 0 },
    ];
    for (const step of steps) tell(invariants, step);
    expect(invariants.tally.excused).toBe(2);
    expect(invariants.breaches.map(({ rule }) => rule)).toEqual(['zero for a backlog that is not']);
  });

  it('an answer in between makes two outages', () => {
    const steps = [
      once,
      broken,
      ...failing(2100, 2900),
      { atMs: 3000, says: 0 } as const,
      ...failing(3100, 3900),
    ];
    expect(judged(steps, { failForMs: 1000 })).toEqual([]);
  });
});

describe('a run', () => {
  it('without answers proves nothing', () => {
    expect(judged([], { finish: 9000 })).toEqual(['nothing to judge']);
    expect(judged([{ atMs: 500, says: 0 }], { finish: 9000 })).toEqual(['nothing to judge']);
    expect(judged([{ atMs: 1500, says: 0 }], { finish: 9000 })).toEqual([]);
  });

  it('reports a repeated breach once', () => {
    const invariants = new Invariants();
    invariants.add(subject, 0);
    invariants.healed(0);
    for (let atMs = 3001; atMs < 3011; atMs++) tell(invariants, { atMs, says: 1 });
    expect(invariants.breaches).toMatchObject([{ rule: 'wrong number', atMs: 3001, times: 10 }]);
  });

  it('with a process that ended by itself fails', () => {
    const invariants = new Invariants();
    invariants.ended('pod-0', 10, 'it has ended with SIGSEGV');
    expect(invariants.breaches).toEqual([
      {
        rule: 'a process has ended',
        atMs: 10,
        about: 'pod-0',
        detail: 'it has ended with SIGSEGV',
        times: 1,
      },
    ]);
  });

  /** Changes at their times, and the truth from then on. */
  const histories = fc
    .array(fc.record({ afterMs: fc.integer({ min: 1, max: 4000 }), items: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 1,
      maxLength: 20,
    })
    .map((changes) => {
      let atMs = 0;
      return changes.map(({ afterMs, items }) => {
        atMs += afterMs;
        return { atMs, items };
      });
    });
  const at = (history: readonly { atMs: number; items: number }[], ms: number) =>
    history.findLast(({ atMs }) => atMs <= ms)?.items ?? 0;

  it('of a scaler whose answers are a little late, and that pushes what it sees, passes', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: boundMs - everyMs }), (history, lagMs) => {
        const endMs = (history.at(-1)?.atMs ?? 0) + 3000;
        const steps: Step[] = history.map(({ atMs, items }) => ({ atMs, truth: items }));
        let active = false;
        for (let atMs = 0; atMs <= endMs; atMs += everyMs) {
          const items = at(history, atMs - lagMs);
          steps.push({ atMs, says: items }, { atMs, says: items > 0 });
          if (items > 0 !== active) steps.push({ atMs, pushes: items > 0 });
          active = items > 0;
        }
        steps.sort((a, b) => a.atMs - b.atMs);
        expect(judged(steps, { finish: endMs })).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('of a scaler that answers 0 instead of an error fails', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 100 }), (history, items) => {
        const lastMs = history.at(-1)?.atMs ?? 0;
        const steps: Step[] = history.map(({ atMs, items: was }) => ({ atMs, truth: was }));
        const waitsMs = lastMs + 1;
        steps.push({ atMs: waitsMs, truth: items }, { atMs: waitsMs + 1, pushes: true });
        steps.push({ atMs: waitsMs + 2, broken: true });
        steps.push({ atMs: waitsMs + maxStalenessMs + boundMs + 1, says: 0 });
        expect(judged(steps)).toContain('zero for a backlog that is not');
      }),
      { numRuns: 100 },
    );
  });
});
