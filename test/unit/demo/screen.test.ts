import { describe, expect, it } from 'vitest';
import { frameText } from '../../../demo/screen.ts';

describe('frameText', () => {
  const frame = { phase: 'burst', backlog: 580, value: 580, replicas: 6, running: 4 };

  it('shows backlog, value and replicas', () => {
    expect(frameText(frame, 580)).toBe(
      `burst      backlog  580 → value  580 → replicas 6 (4 running)  ${'█'.repeat(24)}`,
    );
  });

  it('shows no bar for no backlog, and some for any', () => {
    expect(frameText({ ...frame, backlog: 0 }, 580)).not.toContain('█');
    expect(frameText({ ...frame, backlog: 1 }, 580)).toMatch(/ █$/);
  });

  it('never shows more than a full bar', () => {
    expect(frameText({ ...frame, backlog: 5800 }, 580).match(/█/g)).toHaveLength(24);
  });

  it('shows that nothing was answered yet', () => {
    expect(frameText({ ...frame, value: undefined }, 580)).toContain('value    -');
  });
});
