import { describe, expect, it } from 'vitest';
import { judge, type Run } from '../../../../../demo/stories/surge/judge.ts';

const nudged: Run = {
  name: 'with nudges',
  steps: [
    { afterMs: 20, replicas: 1, by: 'push' },
    { afterMs: 90, replicas: 4, by: 'hpa change' },
    { afterMs: 130.04, replicas: 8, by: 'hpa change' },
  ],
  targets: [5.001, 5],
  replicas: 8,
  failedAnswers: 0,
};
const plain: Run = {
  name: 'without',
  steps: [
    { afterMs: 21, replicas: 1, by: 'push' },
    { afterMs: 8_000, replicas: 4, by: 'hpa clock' },
    { afterMs: 23_000, replicas: 8, by: 'hpa clock' },
  ],
  targets: [],
  replicas: 8,
  failedAnswers: 0,
};
const wanted = { replicas: 8, perReplica: 5 };

describe('judge', () => {
  it('reports every number', () => {
    expect(judge(nudged, plain, wanted).map(({ kept, text }) => [kept, text])).toEqual([
      [true, '0 → 1 replicas after the hint was posted: 20.0 ms with nudges, 21.0 ms without'],
      [true, "with nudges: 8 replicas after 130.0 ms, with no tick of the HPA's clock"],
      [true, 'without: 8 replicas after 23.0 s, by 2 ticks of it'],
      [true, 'both stay at 8 and 8 replicas'],
      [true, 'KEDA rewrote the HPA 2 times, the last time with the exact target'],
      [true, '0 answers failed'],
    ]);
  });

  it.each<[string, Partial<Run>, Partial<Run>, number]>([
    ['was not pushed', { steps: [{ afterMs: 9, replicas: 8, by: 'poll' }] }, {}, 0],
    [
      'waited for the clock',
      { steps: [...nudged.steps.slice(0, 2), { afterMs: 9_000, replicas: 8, by: 'hpa clock' }] },
      {},
      1,
    ],
    ['did not get there', { steps: nudged.steps.slice(0, 2) }, {}, 1],
    [
      'was nudged though that is off',
      {},
      { steps: [...plain.steps.slice(0, 2), { afterMs: 90, replicas: 8, by: 'hpa change' }] },
      2,
    ],
    ['fell back', { replicas: 4 }, {}, 3],
    ['grew too far', { steps: [...nudged.steps, { afterMs: 500, replicas: 9, by: 'hpa change' }] }, {}, 3],
    ['left a nudged target behind', { targets: [5, 5.001] }, {}, 4],
    ['had the HPA rewritten though that is off', {}, { targets: [5] }, 4],
    ['failed an answer', {}, { failedAnswers: 1 }, 5],
  ])('rejects a run that %s', (_, changed, changedPlain, which) => {
    const promises = judge({ ...nudged, ...changed }, { ...plain, ...changedPlain }, wanted);
    expect(promises[which]?.kept).toBe(false);
  });
});
