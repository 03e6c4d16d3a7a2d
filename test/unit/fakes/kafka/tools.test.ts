import { expect, it } from 'vitest';
import { javaMajor } from '../../../../fakes/kafka/tools.ts';

it.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_391"', 8],
  ['bash: java: command not found', undefined],
  [undefined, undefined],
])('%s is Java %s', (text, major) => {
  expect(javaMajor(text)).toBe(major);
});
