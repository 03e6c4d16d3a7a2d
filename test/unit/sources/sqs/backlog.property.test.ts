import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshHintMs } from '../../../../src/sources/sqs/rules/backlog.ts';
import {
  apartMs,
  burst,
  fold,
  lingerMs,
  type SqsHistory,
} from '../../../../src/sources/sqs/rules/history.ts';
import { paramsOf } from './trigger-params.ts';
import { readingsOf, type Seen } from './watching.ts';

const count = fc.oneof(fc.constant(0), fc.nat({ max: 15 }));
const read = fc.record({
  afterMs: fc.constantFrom(50, 400, 950, 1000, 2000, 5000, 30_000, lingerMs + 1),
  visible: count,
  inFlight: count,
  delayed: count,
  hintAgoMs: fc.constantFrom(undefined, 0, 1000, freshHintMs, freshHintMs + 1),
});

const reads = fc.array(read, { minLength: 1, maxLength: 40 }).map((steps) => {
  let atMs = 0;
  return steps.map(({ afterMs, hintAgoMs, ...counts }): Seen => {
    atMs += afterMs;
    return { atMs, ...counts, ...(hintAgoMs === undefined ? {} : { hintAtMs: atMs - hintAgoMs }) };
  });
});

const metadata = fc.record({
  scaleOnInFlight: fc.constantFrom('true', 'false'),
  scaleOnDelayed: fc.constantFrom('true', 'false'),
  activationQueueLength: fc.constantFrom('0', '3'),
});

const flags = { scaleOnInFlight: 'true', scaleOnDelayed: 'false', activationQueueLength: '0' };

describe('whatever SQS counts', () => {
  it('messages in flight alone never wake a queue that had no others', () => {
    const inFlightOnly = reads.map((seen) => seen.map((one) => ({ ...one, visible: 0, delayed: 0 })));
    fc.assert(
      fc.property(inFlightOnly, metadata, (seen, given) => {
        const readings = readingsOf(paramsOf(given), [{ atMs: 0 }, ...seen], false);
        expect(readings.filter(({ active }) => active)).toEqual([]);
      }),
    );
  });

  it('a single small count without a hint never wakes', () => {
    const lone = fc.record({ visible: fc.nat({ max: burst - 1 }), inFlight: count, delayed: count });
    fc.assert(
      fc.property(lone, metadata, (counts, given) => {
        const seen = [{ atMs: 0 }, { atMs: 5000, ...counts }, { atMs: 6000 }, { atMs: 11_000, ...counts }];
        const readings = readingsOf(paramsOf(given), seen, false);
        expect(readings.filter(({ active }) => active)).toEqual([]);
      }),
    );
  });

  it('the same messages in two reads a second apart always wake', () => {
    fc.assert(
      fc.property(reads, fc.integer({ min: 4, max: 9 }), metadata, (seen, visible, given) => {
        const atMs = (seen.at(-1)?.atMs ?? 0) + 5000;
        const readings = readingsOf(
          paramsOf(given),
          [...seen, { atMs, visible }, { atMs: atMs + apartMs, visible }],
          false,
        );
        expect(readings.at(-1)?.active).toBe(true);
      }),
    );
  });

  it('an active trigger stays active while anything counts, and ends after two reads without anything', () => {
    fc.assert(
      fc.property(reads, metadata, (seen, given) => {
        const params = paramsOf(given);
        const readings = readingsOf(params, seen, true);
        let active = true;
        for (const { items, active: now } of readings) {
          if (active && items > params.activationQueueLength) expect(now).toBe(true);
          active = now;
        }
        const atMs = (seen.at(-1)?.atMs ?? 0) + 2000;
        const ended = readingsOf(params, [...seen, { atMs }, { atMs: atMs + 2000 }], true);
        expect(ended.at(-1)?.active).toBe(false);
      }),
    );
  });

  it('the history stays small', () => {
    fc.assert(
      fc.property(reads, (seen) => {
        let history: SqsHistory | undefined;
        for (const { atMs, visible = 0, inFlight = 0, delayed = 0 } of seen) {
          history = fold(history, { visible, inFlight, delayed }, atMs);
          expect(history.reads.length).toBeLessThanOrEqual(8);
          expect(history.reads.at(-1)?.takenAtMs).toBe(atMs);
        }
      }),
    );
  });

  it('the number never depends on earlier reads', () => {
    fc.assert(
      fc.property(reads, (seen) => {
        const params = paramsOf(flags);
        for (const [i, { items }] of readingsOf(params, seen).entries()) {
          expect(items).toBe((seen[i]?.visible ?? 0) + (seen[i]?.inFlight ?? 0));
        }
      }),
    );
  });
});
