import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../../src/errors.ts';
import type { KafkaNeed } from '../../../../../../src/sources/kafka/rules/snapshot.ts';
import { errorCodes } from '../../../../../../src/sources/kafka/upstream/protocol/error-codes.ts';
import { describeEveryMs } from '../../../../../../src/sources/kafka/upstream/read/members.ts';
import { ModelKafka } from '../../../../../support/kafka/model-kafka.ts';
import { ModelReading } from '../../../../../support/kafka/model-reading.ts';

let model: ModelKafka;
let reading: ModelReading;

beforeEach(() => {
  model = new ModelKafka(2);
  reading = new ModelReading(model);
  for (const group of ['workers', 'others', 'third']) {
    model.create(group, { end: 10 });
    model.commit(group, group, 3, { coordinator: group === 'third' ? 1 : 0 });
  }
});

const learning = (group: string): Partial<KafkaNeed> => ({
  consumerGroup: group,
  topics: [group],
  members: true,
});

/** The members that the read after next shows. No read waits for them. */
async function membersOf(...groups: string[]): Promise<(number | undefined)[]> {
  await reading.read(groups.map(learning));
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  const results = await reading.read(groups.map(learning));
  return results.map((result) => {
    if (result instanceof ScalerError) throw result;
    return result.snapshot.members;
  });
}

describe('the members of a group', () => {
  it('are only those of wanted groups, in one request for each coordinator', async () => {
    model.members.set('workers', { state: 'Stable', members: 3 });
    model.members.set('others', { state: 'Empty', members: 0 });
    model.members.set('third', { state: 'Stable', members: 1 });
    await reading.read(
      ['workers', 'others', 'third'].map((group) => ({ consumerGroup: group, topics: [group] })),
    );
    expect(model.count('DescribeGroups')).toBe(0);
    expect(await membersOf('workers', 'others', 'third')).toEqual([3, 0, 1]);
    expect(model.asked.filter(({ apiName }) => apiName === 'DescribeGroups')).toEqual([
      { address: 'b0:9092', apiName: 'DescribeGroups', names: ['workers', 'others'] },
      { address: 'b1:9092', apiName: 'DescribeGroups', names: ['third'] },
    ]);
    expect(model.count('ConsumerGroupDescribe')).toBe(0);
  });

  it('are requested at most every 15 s', async () => {
    model.members.set('workers', { state: 'Stable', members: 3 });
    for (let ms = 0; ms < 3 * describeEveryMs; ms += 1_000) {
      await membersOf('workers');
      reading.nowMs += 1_000;
    }
    expect(model.count('DescribeGroups')).toBe(3);
  });

  it.each([
    ['PreparingRebalance', 3, false, undefined],
    ['CompletingRebalance', 3, false, undefined],
    ['Dead', 0, false, 0],
    ['Stable', 4, true, 4],
    ['Reconciling', 4, true, undefined],
    ['Empty', 0, true, 0],
  ])('in state %s with %d members (newer protocol: %s) are %s', async (state, members, newer, expected) => {
    model.members.set('workers', { state, members, newer });
    expect(await membersOf('workers')).toEqual([expected]);
  });

  it('are unknown if the group may not be described, and just after its coordinator has moved', async () => {
    model.members.set('workers', { state: 'Stable', members: 3 });
    expect(await membersOf('workers')).toEqual([3]);
    const asked = async () => {
      reading.nowMs += describeEveryMs;
      reading.cluster.members.of('workers');
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      return reading.cluster.members.of('workers');
    };
    model.groupErrors.set('workers', errorCodes.GROUP_AUTHORIZATION_FAILED);
    expect(await asked()).toBeUndefined();
    model.groupErrors.set('workers', errorCodes.NOT_COORDINATOR);
    expect(await asked()).toBeUndefined();
    model.groupErrors.clear();
    expect(await asked()).toBe(3);
  });

  it('are not believed forever if a coordinator falls silent', async () => {
    model.members.set('workers', { state: 'Stable', members: 3 });
    expect(await membersOf('workers')).toEqual([3]);
    const [broker = ''] = model.addresses;
    model.hanging.add(broker);
    reading.nowMs += 61_000;
    expect(reading.cluster.members.of('workers')).toBeUndefined();
    await reading.cluster.close();
  });
});
