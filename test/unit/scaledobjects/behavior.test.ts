import { describe, expect, it } from 'vitest';
import { readBehavior } from '../../../src/scaledobjects/behavior.ts';

describe('behavior', () => {
  it('is read as written', () => {
    const scaleUp = {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Min',
      policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }],
      tolerance: '50m',
    };
    expect(readBehavior({ scaleUp, scaleDown: { tolerance: 0.2, selectPolicy: null } })).toEqual({
      behavior: { scaleUp: { ...scaleUp, tolerance: 0.05 }, scaleDown: { tolerance: 0.2 } },
      faults: [],
    });
    expect(readBehavior({})).toEqual({ behavior: {}, faults: [] });
  });

  it.each<[string, unknown, RegExp]>([
    ['no mapping', 7, /^behavior\.scaleUp: must be a mapping/],
    ['no list', { policies: 5 }, /^behavior\.scaleUp\.policies: must be a list of .*got "5"/],
    ['an empty list', { policies: [] }, /policies: must be a list/],
    ['a policy that is none', { policies: [1] }, /policies: must be a list/],
    ['another type', { policies: [{ type: 'Pod', value: 1, periodSeconds: 1 }] }, /policies/],
    ['no value', { policies: [{ type: 'Pods', value: 0, periodSeconds: 1 }] }, /policies/],
    ['too long a period', { policies: [{ type: 'Pods', value: 1, periodSeconds: 1801 }] }, /policies/],
    [
      'a window in text',
      { stabilizationWindowSeconds: '60' },
      /Seconds: must be a whole number from 0 to 3600/,
    ],
    ['too long a window', { stabilizationWindowSeconds: 3601 }, /from 0 to 3600, got "3601"/],
    ['another selectPolicy', { selectPolicy: 'Most' }, /must be Max, Min or Disabled, got/],
    ['a tolerance below 0', { tolerance: -1 }, /tolerance: must be a number of at least 0/],
  ])('is refused for %s, which is ignored', (_, scaleUp, message) => {
    const { behavior, faults } = readBehavior({ scaleUp });
    expect(faults.map((fault) => fault.message)).toEqual([expect.stringMatching(message)]);
    expect(behavior.scaleUp ?? {}).toEqual({});
  });

  it.each([
    [0.05, 0.05],
    ['0.05', 0.05],
    ['50m', 0.05],
    ['500u', 0.0005],
    ['5e-2', 0.05],
    ['1', 1],
    ['.5', 0.5],
    [0, 0],
    [null, undefined],
  ])('has a tolerance of %j: %j', (tolerance, is) => {
    expect(readBehavior({ scaleUp: { tolerance } }).behavior.scaleUp?.tolerance).toBe(is);
  });
});
