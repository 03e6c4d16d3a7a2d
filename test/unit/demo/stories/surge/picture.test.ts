import { expect, it } from 'vitest';
import type { Run } from '../../../../../demo/stories/surge/judge.ts';
import { picture } from '../../../../../demo/stories/surge/picture.ts';

function run(name: string, ...steps: [seconds: number, replicas: number][]): Run {
  return {
    name,
    steps: steps.map(([seconds, replicas]) => ({ afterMs: 1000 * seconds, replicas, by: 'push' })),
    targets: [],
    replicas: 0,
    failedAnswers: 0,
  };
}

it('shows both on one time axis', () => {
  const runs = [run('fast', [0.1, 1], [0.3, 16]), run('slow', [0.1, 1], [3, 4], [6, 16])];
  expect(picture(runs, { most: 16, seconds: 8.2, markEverySeconds: 5 })).toEqual([
    'fast: 1 after 100.0 ms, 16 after 300.0 ms',
    '  16 │█████████',
    '     │█████████',
    '     │█████████',
    '     │█████████',
    '   0 └┴────┴───',
    'slow: 1 after 100.0 ms, 4 after 3.0 s, 16 after 6.0 s',
    '  16 │     ████',
    '     │     ████',
    '     │     ████',
    '     │▂▂███████',
    '   0 └┴────┴───',
    '      0 s  5 s',
  ]);
});

it('shows one replica of many, and at most a full panel', () => {
  const [, top, , , bottom] = picture([run('many', [0.5, 1], [1.5, 2_000])], {
    most: 1_000,
    seconds: 2,
    markEverySeconds: 5,
  });
  expect([top, bottom]).toEqual(['1000 │ █', '     │▁█']);
});
