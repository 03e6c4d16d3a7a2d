import { describe, expect, it } from 'vitest';
import { reconciling } from './reconciling.ts';
import { down, notFound } from './scripted-github.ts';

const hourMs = 3_600_000;

function failing(guid: string): { deliveryId: string; guid: string } {
  return { deliveryId: `1${guid}`, guid };
}

describe('deliveries that GitHub could not make', () => {
  it('are not requested with a token', async () => {
    const at = reconciling();
    await at.seconds(3600);
    expect(at.github.callsOf('failedDeliveries')).toEqual([]);
  });

  it('are looked for every two minutes, back to an hour before the start and then to the last look', async () => {
    const clockOffsetMs = 180_000;
    const at = reconciling({ app: true, prepare: (github) => Object.assign(github, { clockOffsetMs }) });
    const startMs = at.clock.nowMs;
    await at.seconds(599);
    const [first, second, ...more] = at.github.lookedBackTo;
    expect(more.length + 2).toBe(5);
    expect(first).toBeCloseTo(startMs - hourMs + clockOffsetMs, -3);
    expect(second).toBeGreaterThan(startMs - 400_000 + clockOffsetMs);
  });

  it('are delivered again, once each, a second apart', async () => {
    const at = reconciling({ app: true });
    for (const guid of ['a', 'b', 'c']) at.github.undelivered.set(guid, failing(guid));
    at.github.redelivered = ({ guid }) => void at.github.undelivered.delete(guid);
    await at.seconds(600);
    const calls = at.github.callsOf('redeliver');
    expect(calls.map(({ about }) => about)).toEqual(['a', 'b', 'c']);
    for (const [i, { atMs }] of calls.entries())
      expect(atMs - (calls[i - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  it('are tried three times with growing gaps, and looked back for until then', async () => {
    const at = reconciling({ app: true });
    const startMs = at.clock.nowMs;
    at.github.undelivered.set('a', failing('a'));
    await at.seconds(3 * 3600);
    const times = at.github.callsOf('redeliver').map(({ atMs }) => Math.round((atMs - startMs) / 60_000));
    expect(times).toEqual([0, 6, 38]);
    const during = at.github.lookedBackTo[15] ?? 0;
    const after = at.github.lookedBackTo.at(-1) ?? 0;
    expect(during).toBeLessThanOrEqual(startMs - hourMs + 1000);
    expect(after).toBeGreaterThan(startMs + 2 * hourMs);
  });

  it('that GitHub has forgotten do not stop the others', async () => {
    const at = reconciling({ app: true });
    for (const guid of ['a', 'b']) at.github.undelivered.set(guid, failing(guid));
    at.github.fault = ({ operation, about }) =>
      operation === 'redeliver' && about === 'a' ? notFound(about) : undefined;
    await at.seconds(60);
    expect(at.github.callsOf('redeliver').map(({ about }) => about)).toEqual(['a', 'b']);
  });

  it('look back over an outage, and at most a day', async () => {
    const at = reconciling({ app: true });
    await at.seconds(60);
    const downAtMs = at.clock.nowMs;
    at.github.fault = down;
    await at.seconds(2 * 3600);
    at.github.fault = () => undefined;
    await at.seconds(75);
    expect(at.github.lookedBackTo.at(-1)).toBeLessThan(downAtMs);
    at.github.fault = down;
    await at.seconds(30 * 3600);
    at.github.fault = () => undefined;
    await at.seconds(75);
    const back = at.clock.nowMs - (at.github.lookedBackTo.at(-1) ?? 0);
    expect(back).toBeLessThanOrEqual(24 * hourMs + 75_000);
  });
});
