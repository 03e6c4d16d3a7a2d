import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fineMs, Histories, History } from '../../../src/triggers/history.ts';

type Step =
  | { readonly kind: 'read'; readonly trigger: number; readonly backlog: number | undefined }
  | { readonly kind: 'note'; readonly trigger: number; readonly error: string }
  | { readonly kind: 'forget'; readonly trigger: number }
  | { readonly kind: 'use'; readonly bytes: number };

const triggerCount = 24;
const trigger = fc.nat(triggerCount - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 40,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        trigger,
        backlog: fc.option(fc.nat(1000), { nil: undefined }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('note' as const),
        trigger,
        error: fc.string({ maxLength: 600 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), trigger }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('use' as const),
        bytes: fc.integer({ min: 1024, max: 20_000 }),
      }),
    },
  ),
  { minLength: 50, maxLength: 600 },
);

function reading(backlog: number | undefined) {
  return { backlog, value: backlog, target: 5, active: backlog === undefined ? undefined : backlog > 0 };
}

describe('histories of many', () => {
  it('count their size, never more than their bound, whatever happens', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const histories = new Histories();
        let limit = 20_000;
        histories.use({ hours: 6, bytes: limit });
        const each = Array.from({ length: triggerCount }, (_, i) => new History(`ns-${i % 5}`, histories));
        for (const [i, step] of all.entries()) {
          const nowMs = i * (fineMs / 3);
          if (step.kind === 'use') {
            limit = step.bytes;
            histories.use({ hours: 6, bytes: limit });
          } else {
            const history = each[step.trigger];
            if (step.kind === 'read') history?.record(reading(step.backlog), nowMs);
            else if (step.kind === 'note') history?.note({ kind: 'failing', atMs: nowMs, error: step.error });
            else history?.forget();
          }
          expect(histories.bytes).toBe(each.reduce((sum, { bytes }) => sum + bytes, 0));
          expect(histories.bytes).toBeLessThanOrEqual(limit);
        }
        for (const history of each) history.forget();
        expect(histories.bytes).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('are in the order of time, and their last point is the last reading', () => {
    const gaps = fc.array(
      fc.record({
        ms: fc.integer({ min: 1, max: 30_000 }),
        backlog: fc.option(fc.nat(9), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 400 },
    );
    fc.assert(
      fc.property(gaps, fc.integer({ min: 700, max: 5000 }), (readings, bytes) => {
        const histories = new Histories();
        histories.use({ hours: 1, bytes });
        const history = new History('shop', histories);
        let nowMs = 1000;
        let highest = -1;
        for (const { ms, backlog } of readings) {
          nowMs += ms;
          highest = Math.max(highest, backlog ?? -1);
          history.record(reading(backlog), nowMs);
        }
        const last = readings.at(-1)?.backlog;
        const points = history.pointsSince(0, nowMs);
        const times = points.map(({ atMs }) => atMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(points.at(-1)?.backlog).toBe(last);
        if (nowMs < 3_600_000) expect(Math.max(...points.map(({ backlog = -1 }) => backlog))).toBe(highest);
      }),
    );
  });

  it('keep a namespace’s share for it, however many triggers another one has', () => {
    const bytes = 100_000;
    const histories = new Histories();
    histories.use({ hours: 6, bytes });
    const crowd = Array.from({ length: 500 }, () => new History('crowd', histories));
    const alone = new History('shop', histories);
    for (let i = 0; i < 400; i += 1) {
      for (const history of crowd) history.record(reading(1 + ((i * 7) % 11)), i * fineMs);
      alone.record(reading(1 + ((i * 7) % 11)), i * fineMs);
    }
    // Its room doubles. The last step did not fit into its half of the whole.
    expect(alone.bytes).toBeGreaterThan(bytes / 8);
    expect(alone.bytes).toBeLessThanOrEqual(bytes / 2);
    expect(alone.pointsSince(0, 400 * fineMs).length).toBeGreaterThan(300);
  });
});
