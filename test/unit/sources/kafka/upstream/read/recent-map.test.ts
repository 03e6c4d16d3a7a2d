import { describe, expect, it } from 'vitest';
import { RecentMap } from '../../../../../../src/sources/kafka/upstream/read/recent-map.ts';

function map({ idleMs = 300_000, limit = 3 } = {}) {
  const clock = { nowMs: 0 };
  return { clock, recent: new RecentMap<string, number>({ idleMs, limit, now: () => clock.nowMs }) };
}

describe('a map of recently used entries', () => {
  it('drops unused entries, and keeps used ones', () => {
    const { clock, recent } = map();
    recent.set('idle', 1);
    recent.set('used', 2);
    clock.nowMs = 200_000;
    expect(recent.get('used')).toBe(2);
    expect(recent.peek('idle')).toBe(1);
    clock.nowMs = 400_000;
    recent.set('new', 3);
    expect(recent.get('idle')).toBeUndefined();
    expect(recent.get('used')).toBe(2);
  });

  it('never holds more than its limit', () => {
    const { recent } = map();
    for (let i = 0; i < 100; i += 1) recent.set(String(i), i);
    expect(recent.size).toBe(3);
    expect(recent.get('99')).toBe(99);
  });

  it('lacks deleted entries', () => {
    const { recent } = map();
    recent.set('a', 1);
    recent.set('b', 2);
    recent.delete('a');
    expect(recent.get('a')).toBeUndefined();
    expect(recent.size).toBe(1);
  });
});
