import { describe, expect, it } from 'vitest';
import { quantities, readFailIf } from '../../../src/simulation/fail-if.ts';
import type { Outcome } from '../../../src/simulation/play.ts';

const outcome: Outcome = {
  items: 10,
  worstWaitSeconds: 150,
  p99WaitSeconds: 120.5,
  p50WaitSeconds: 1,
  replicaHours: 2.5,
  scaleUps: 3,
  scaleDowns: 2,
  podStarts: 8,
  mostReplicas: 6,
  mostBacklog: 99,
  leftAtEnd: 0,
  neverTaken: 0,
  lateShare: undefined,
  drainSeconds: undefined,
  series: { oldestWaitSeconds: [], replicas: [] },
};

describe('--fail-if', () => {
  it.each<[string, string | undefined]>([
    ['p99wait>120', 'p99wait is 120.5'],
    ['p99wait > 120.5', undefined],
    ['p99wait>=120.5', 'p99wait is 120.5'],
    ['P99Wait>100', 'p99wait is 120.5'],
    ['worstwait<200', 'worstwait is 150'],
    ['left<=0', 'left is 0'],
    ['replicahours>3', undefined],
    ['drain 60 s: podstarts>7', 'podstarts is 8'],
  ])('%s', (text, why) => {
    const read = readFailIf(text, ['as written', 'drain 60 s']);
    expect(typeof read === 'string' ? read : read.failing(outcome)).toBe(why);
  });

  it('has another number for every quantity', () => {
    const values = Object.values(quantities).map(({ of }) => of(outcome));
    expect(new Set(values).size).toBe(Object.keys(quantities).length);
  });

  it.each<[string, RegExp]>([
    ['', /must be QUANTITY/],
    ['p99wait', /must be QUANTITY/],
    ['p99wait>abc', /must be QUANTITY/],
    ['p99wait>120 or left>0', /must be QUANTITY/],
    ['p99wait=120', /must be QUANTITY/],
    ['p99wiat>120', /"p99wiat" is none of worstwait, .*did you mean "p99wait"/],
    ['constructor>1', /is none of/],
    ['other: left>0', /there is no setting "other", only "as written", "drain 60 s"/],
  ])('%j is refused', (text, message) => {
    expect(readFailIf(text, ['as written', 'drain 60 s'])).toMatch(message);
  });
});
