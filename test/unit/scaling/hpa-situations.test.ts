import { describe, expect, it } from 'vitest';
import { plannedMs, played, type Situation, situations } from '../../support/hpa-situations.ts';

describe('what the HPA does', () => {
  it.each(situations)('$name', (row: Situation) => {
    const steps = played(row, plannedMs(row)).map(({ replicas, because }) => `${replicas} ${because}`);
    expect(steps).toEqual(row.looks.map(({ to, because }) => `${to} ${because}`));
  });

  it('is a table whose rows have names of their own', () => {
    expect(new Set(situations.map(({ name }) => name)).size).toBe(situations.length);
  });
});
