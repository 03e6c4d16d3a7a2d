import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { frameText, Screen } from '../../../demo/screen.ts';

describe('frameText', () => {
  const frame = { phase: 'burst', backlog: 580, value: 580, replicas: 6, running: 4 };

  it('shows backlog, value and replicas', () => {
    expect(frameText(frame, 580)).toBe(
      `burst      backlog  580 → value  580 → replicas 6 (4 running)  ${'█'.repeat(24)}`,
    );
  });

  it('shows no bar for an empty backlog, and some for any other', () => {
    expect(frameText({ ...frame, backlog: 0 }, 580)).not.toContain('█');
    expect(frameText({ ...frame, backlog: 1 }, 580)).toMatch(/ █$/);
  });

  it('never shows more than a full bar', () => {
    expect(frameText({ ...frame, backlog: 5800 }, 580).match(/█/g)).toHaveLength(24);
  });

  it('shows that no answer has come yet', () => {
    expect(frameText({ ...frame, value: undefined }, 580)).toContain('value    -');
  });
});

describe('Screen', () => {
  const frame = { phase: 'burst', backlog: 580, value: 580, replicas: 6, running: 4 };

  it('names the status pages at the end, and shows nothing below them', () => {
    const out = new PassThrough({ encoding: 'utf8' });
    const screen = new Screen(out);
    screen.begin({ name: 'sqs', fullBar: 580 });
    screen.page('http://127.0.0.1:8080/');
    screen.update(frame);
    screen.rest();
    screen.update({ ...frame, replicas: 7 });
    const lines = String(out.read()).trimEnd().split('\n');
    expect(lines.filter((line) => line.includes('burst'))).toHaveLength(1);
    expect(lines.at(-1)).toBe('         sqs     http://127.0.0.1:8080/');
  });
});
