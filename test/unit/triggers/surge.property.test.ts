import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { attempt, ScalerError } from '../../../src/errors.ts';
import { Hpa, pass } from '../../support/hpa.ts';
import { levelSource, type Tanks } from '../../support/level-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const metadata = [
  {},
  { threshold: '1' },
  { threshold: '0.1' },
  { threshold: '2.5', headroomReplicas: '1.5', headroomWhenIdle: 'true' },
  { policy: 'drain', drainSeconds: '10', replicaRate: '1', headroomReplicas: '2' },
  { surge: 'false' },
];
const tanks = ['a', 'b'] as const;

const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      tank: fc.constantFrom(...tanks),
      value: fc.oneof(fc.constant(0), fc.nat(3_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      tank: fc.constantFrom(...tanks),
      kind: fc.nat(metadata.length - 1),
      replicas: fc.nat(10),
    }),
  },
  fc.record({
    do: fc.constantFrom('look' as const, 'end' as const, 'end spec' as const, 'deaf' as const),
    which: fc.nat(5),
  }),
  fc.record({
    do: fc.constant('reload' as const),
    connections: fc.constantFrom('one', 'two', 'both', 'none', 'moved'),
    threshold: fc.constantFrom(undefined, 3, 30),
    enabled: fc.boolean(),
    atOnce: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ do: fc.constant('break' as const), broken: fc.boolean() }),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 20, 60, 300, 1_100, 16_000, 70_000),
    }),
  },
);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'setImmediate',
      'clearImmediate',
      'performance',
    ],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

it('whatever happens during surges, they end, and every stream has the exact target of its trigger', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const levels: Tanks = new Map();
      let broken = false;
      let threshold: number | undefined;
      const source: typeof levelSource = {
        ...levelSource,
        evaluate: (params, view) =>
          broken
            ? { kind: 'unknown', error: new ScalerError('unavailable', 'down') }
            : levelSource.evaluate(params, view),
        target: (params, all) => ({
          ...levelSource.target(params, all),
          perReplica: threshold ?? params.threshold,
        }),
      };
      const named = (name: string, more = {}) => connectionOf(name, source, levels, more);
      const sets = {
        one: [named('one')],
        two: [named('two')],
        both: [named('one'), named('two')],
        none: [],
        moved: [named('one', { place: 'elsewhere', fingerprint: 'e' })],
      };
      const live = new LiveTriggers(sets.one, { sources: [source] });
      const open: { hpa: Hpa; reference: ReturnType<typeof referenceOf> }[] = [];
      const times = new Map<Hpa, number[]>();
      for (const one of acts) {
        if (one.do === 'put') levels.set(one.tank, one.value);
        if (one.do === 'break') broken = one.broken;
        if (one.do === 'pass') await pass(one.ms);
        if (one.do === 'open') {
          const reference = referenceOf({ source: 'level', tank: one.tank, ...metadata[one.kind] }, one.tank);
          const hpa = attempt(() => new Hpa(live, reference, one.replicas));
          if (!(hpa instanceof ScalerError)) {
            open.push({ hpa, reference });
            const at: number[] = [];
            times.set(hpa, at);
            const { said } = hpa;
            const push = said.push.bind(said);
            said.push = (...values) => {
              at.push(performance.now());
              return push(...values);
            };
          }
        }
        const which = 'which' in one ? open[one.which % Math.max(1, open.length)] : undefined;
        if (one.do === 'look') await which?.hpa.look();
        if (one.do === 'deaf' && which) which.hpa.looksAtOnce = !which.hpa.looksAtOnce;
        if (one.do === 'end spec') which?.hpa.endSpec();
        if ((one.do === 'end' || one.do === 'end spec') && which) {
          which.hpa.end();
          open.splice(open.indexOf(which), 1);
        }
        if (one.do === 'reload') {
          threshold = one.threshold;
          live.use(
            sets[one.connections as keyof typeof sets],
            {},
            { enabled: one.enabled, surgesAtOnce: one.atOnce },
          );
        }
      }
      broken = false;
      live.use(sets.one);
      await pass(180_000);
      expect(live.triggers.nudges.waiting).toBe(0);
      for (const { hpa, reference } of open) {
        const trigger = live.trigger(reference);
        expect(hpa.target).toBe(Math.max(0.001, Number(trigger.spec.target.perReplica.toFixed(3))));
        const status = trigger.status(performance.now());
        expect(status.up).toBe(true);
        for (const value of Object.values(status))
          if (typeof value === 'number') expect(value).toSatisfy(Number.isFinite);
        const at = times.get(hpa) ?? [];
        const most = Math.max(
          0,
          ...at.map((from) => at.filter((other) => other >= from && other < from + 60_000).length),
        );
        expect(most).toBeLessThanOrEqual(60 + acts.filter((a) => a.do === 'reload').length);
      }
      for (const { hpa } of open) hpa.end();
      await live.close();
      await pass(60_000);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 25 },
  );
});
