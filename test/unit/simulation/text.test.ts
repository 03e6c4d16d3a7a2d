import { describe, expect, it } from 'vitest';
import { type Comparison, duration } from '../../../src/simulation/compare.ts';
import { play } from '../../../src/simulation/play.ts';
import { comparisonSvg } from '../../../src/simulation/svg.ts';
import { comparisonText } from '../../../src/simulation/text.ts';
import { loadFrom, setting, usualModel } from '../../support/simulation.ts';

const arrivals = Array.from({ length: 7_200 }, (_, i) => (i > 600 && i < 1_500 ? 40 : 0));
const outcomes = ['', 'drain 60 s:policy=drain,drainSeconds=60'].map((change) => {
  const one = setting(change);
  return { name: one.name, ...play(one, loadFrom(arrivals), usualModel) };
});
const comparison: Comparison = {
  history: 'a.csv',
  startMs: Date.UTC(2026, 10, 23, 8),
  seconds: 7_200,
  items: 35_960,
  arrivalsAMinute: Array.from({ length: 120 }, (_, i) => (i > 9 && i < 25 ? 2_400 : 0)),
  settings: outcomes,
  notes: ['One replica finishes 5 items a second (--replica-rate). A new pod takes 10 s to start.'],
};

const hostile = '<b onload="x">&\u001b[31m\u202e]]>';
const renamed: Comparison = {
  ...comparison,
  history: hostile,
  settings: outcomes.map((one, i) => ({ ...one, name: `${hostile}${i}` })),
  notes: [hostile],
};

const esc = '\u001b';

describe('the text', () => {
  it.each([40, 60, 80, 120])('fits %i columns', (columns) => {
    const lines = comparisonText(comparison, { columns, colour: false }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    for (const words of ['Arrivals, items a minute', 'drain 60 s', 'oldest wait', 'replica-h', '08:00']) {
      expect(lines.join('\n')).toContain(words);
    }
  });

  it('uses 40 columns if fewer are available', () => {
    const lines = comparisonText(comparison, { columns: 3, colour: false }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBe(40);
  });

  it('draws a bar as high as its number', () => {
    const flat = { ...comparison, arrivalsAMinute: [0, 1, 50, 100], settings: outcomes.slice(0, 1) };
    const text = comparisonText(flat, { columns: 51, colour: false });
    const rows = text
      .split('\n')
      .filter((line) => line.includes('│'))
      .slice(0, 4);
    // 40 columns for four numbers: each has ten.
    expect(rows.map((row) => row.slice(11).padEnd(40).match(/.{10}/g))).toEqual([
      ['          ', '          ', '          ', '██████████'],
      ['          ', '          ', '          ', '██████████'],
      ['          ', '          ', '██████████', '██████████'],
      ['          ', '▁▁▁▁▁▁▁▁▁▁', '██████████', '██████████'],
    ]);
    expect(rows.map((row) => row.slice(0, 9).trim())).toEqual(['100', '', '', '0']);
  });

  it('is colored if allowed', () => {
    expect(comparisonText(comparison, { columns: 80, colour: false })).not.toContain(esc);
    expect(comparisonText(comparison, { columns: 80, colour: true })).toContain(`${esc}[1m`);
  });

  it('shows foreign text without any effect', () => {
    const text = comparisonText(renamed, { columns: 80, colour: false });
    expect(text).not.toContain(esc);
    expect(text).not.toContain('\u202e');
  });

  it.each([
    [0, '0 s'],
    [0.4, '<1 s'],
    [59.6, '60 s'],
    [119, '119 s'],
    [120, '2 m'],
    [125, '2 m 5 s'],
    [7_199, '119 m 59 s'],
    [7_200, '2 h'],
    [9_000, '2 h 30 m'],
    [86_400, '24 h'],
  ])('says %d s as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('the picture', () => {
  it('describes in words what it shows', () => {
    const svg = comparisonSvg(comparison);
    expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="title description">/);
    expect(svg).toContain(
      '<title id="title">a.csv: 2026-11-23 08:00 to 2026-11-23 10:00 UTC (2 h), 35,960 items</title>',
    );
    expect(svg).toMatch(
      /<desc id="description">as written: worst wait .* replica-hours.*drain 60 s: worst wait/,
    );
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('has a line for each setting, distinguished by more than color', () => {
    const svg = comparisonSvg(comparison);
    expect(svg.match(/<path class="line s0"/g)).toHaveLength(3);
    expect(svg.match(/<path class="line s1"/g)).toHaveLength(3);
    expect(svg).toMatch(/\.s1 \{[^}]*stroke-dasharray/);
  });

  it('escapes foreign text, and loads nothing', () => {
    const svg = comparisonSvg(renamed);
    expect(svg).toContain('&lt;b onload=&quot;x&quot;&gt;&amp;');
    expect(svg).not.toMatch(/<b |<script|href|url\(|@import/);
    expect(svg).not.toContain(esc);
    // Every opened tag is closed. The rest is text.
    const open: string[] = [];
    for (const [, close, name = '', alone] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (alone !== '/') open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('keeps every line within its picture', () => {
    const svg = comparisonSvg(comparison);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
    const numbers = [...svg.matchAll(/[ "]([xy])="([\d.]+)"|([HV])([\d.]+)/g)];
    expect(numbers.length).toBeGreaterThan(50);
    for (const [, attribute, at, move, to] of numbers) {
      const isAcross = attribute === 'x' || move === 'H';
      expect(Number(at ?? to)).toBeLessThanOrEqual((isAcross ? width : height) ?? 0);
    }
  });
});
