import { describe, expect, it } from 'vitest';
import { triggerSeries, turnSize } from '../../../src/admin/trigger-series.ts';
import type { TriggerStatus } from '../../../src/triggers/trigger-status.ts';
import { listOf, manyStatuses, statusWith } from '../../support/statuses.ts';

async function chunks(statuses: readonly TriggerStatus[]): Promise<string[]> {
  const all: string[] = [];
  for await (const chunk of triggerSeries(listOf(statuses))) all.push(chunk);
  return all;
}

async function samples(statuses: readonly TriggerStatus[]): Promise<string[]> {
  const text = (await chunks(statuses)).join('');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const labels =
  '{scaledobject_namespace="shop",scaledobject="orders-worker",source="kafka",metric="kafka-workers-orders"}';

describe('triggerSeries', () => {
  it('gives five series for a trigger that is known', async () => {
    expect(await samples([statusWith()])).toEqual([
      `backlog_scaler_trigger_value${labels} 42`,
      `backlog_scaler_trigger_target${labels} 10`,
      `backlog_scaler_trigger_active${labels} 1`,
      `backlog_scaler_trigger_reading_age_seconds${labels} 1.234`,
      `backlog_scaler_trigger_up${labels} 1`,
    ]);
  });

  it('says how old the oldest item is, and whether it may be older', async () => {
    const seriesOf = async (atLeast: boolean) => {
      const lines = await samples([statusWith({ oldest: { ageMs: 312_456.7, atLeast } })]);
      return lines.filter((line) => line.startsWith('backlog_scaler_trigger_oldest_item_age_seconds'));
    };
    const own = labels.slice(0, -1);
    const name = 'backlog_scaler_trigger_oldest_item_age_seconds';
    expect(await seriesOf(false)).toEqual([`${name}${own},at_least="false"} 312.457`]);
    expect(await seriesOf(true)).toEqual([`${name}${own},at_least="true"} 312.457`]);
  });

  it('says what policy: drain reckons with, where that is the policy', async () => {
    const drain = {
      desired: 4,
      because: 'need',
      arrivalRate: 12.5,
      consumptionRate: undefined,
      replicaRate: 5,
      learned: true,
      expectedWaitSeconds: 21.5,
      settled: true,
    } as const;
    const lines = await samples([statusWith({ items: 430, value: 4, target: 1, drain })]);
    const own = labels.slice(0, -1);
    expect(lines).toEqual(
      expect.arrayContaining([
        `backlog_scaler_trigger_value${labels} 4`,
        `backlog_scaler_trigger_items${labels} 430`,
        `backlog_scaler_trigger_arrival_rate${labels} 12.5`,
        `backlog_scaler_trigger_replica_rate${own},learned="true"} 5`,
        `backlog_scaler_trigger_expected_wait_seconds${labels} 21.5`,
      ]),
    );
    const { expectedWaitSeconds: _, ...endless } = drain;
    const without = await samples([statusWith({ drain: { ...endless, expectedWaitSeconds: undefined } })]);
    expect(without.join()).not.toContain('expected_wait');
  });

  it('never says 0 for what is not known', async () => {
    const { value: _, active: __, ageMs: ___, ...cold } = statusWith({ up: false });
    expect(await samples([cold])).toEqual([
      `backlog_scaler_trigger_target${labels} 10`,
      `backlog_scaler_trigger_up${labels} 0`,
    ]);
  });

  it('has help and type of every series even without a trigger', async () => {
    const text = (await chunks([])).join('');
    expect(text.match(/^# HELP /gm)).toHaveLength(10);
    expect(text.match(/^# TYPE backlog_scaler_trigger_\w+ gauge$/gm)).toHaveLength(10);
  });

  it('escapes what would end a label', async () => {
    const [value] = await samples([statusWith({ name: 'a"b\\c' })]);
    expect(value).toContain('scaledobject="a\\"b\\\\c"');
  });

  it('shows the code of a character that a terminal or a page would obey', async () => {
    const name = 'a\0b\rc\nd\u001b[31me\u009bf\u202eg\u2066h\u2028i';
    const [value = ''] = await samples([statusWith({ name })]);
    expect(value).toContain(
      'scaledobject="a\\\\u0000b\\\\u000dc\\\\u000ad\\\\u001b[31me\\\\u009bf\\\\u202eg\\\\u2066h\\\\u2028i"',
    );
    expect(value).not.toMatch(/[\p{Cc}\p{Bidi_C}\u2028\u2029]/u);
  });

  it('says of a refused trigger that it is not up, and has no target of it', async () => {
    const { value: _, active: __, ageMs: ___, ...rest } = statusWith({ metricName: '', up: false });
    expect(await samples([rest])).toEqual([
      `backlog_scaler_trigger_up${labels.replace('kafka-workers-orders', '')} 0`,
    ]);
  });

  it('gives equal labels once: the first trigger stands for both', async () => {
    const twins = [statusWith({ target: 10 }), statusWith({ id: 'id-2', target: 500 })];
    const lines = await samples(twins);
    expect(lines).toHaveLength(5);
    expect(lines).toContain(`backlog_scaler_trigger_target${labels} 10`);
  });

  it('is given in pieces, with turns of the event loop in between', async () => {
    const count = 10_000;
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    let lines = 0;
    for await (const chunk of triggerSeries(listOf(manyStatuses(count)))) {
      const inChunk = chunk.split('\n').length - 1;
      expect(inChunk).toBeLessThanOrEqual(turnSize);
      lines += inChunk;
    }
    running = false;
    expect(lines).toBe(5 * count + 20);
    // Once for the state and once for each family, with a turn after every piece.
    expect(turns).toBeGreaterThanOrEqual((10 * count) / turnSize - 10);
  });

  it('takes the state in turns too, also while triggers go', async () => {
    const live = new Map(manyStatuses(1000).map((status) => [status.id, status]));
    setImmediate(() => live.clear());
    const triggers = { statuses: () => live.values(), summaries: () => live.values() };
    let text = '';
    for await (const chunk of triggerSeries(triggers)) text += chunk;
    expect(text.match(/^backlog_scaler_trigger_up/gm)).toHaveLength(turnSize);
  });
});
