import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givenValues, parseParams } from '../../../../src/params/parse.ts';
import { type NatsParams, natsParams } from '../../../../src/sources/nats/params.ts';
import { backlog, mostBehind, target } from '../../../../src/sources/nats/rules/backlog.ts';
import { snapshotOf } from './snapshots.ts';

function paramsOf(metadata: Record<string, string> = {}): NatsParams {
  const given = givenValues({ stream: 'orders', consumer: 'worker', ...metadata });
  const { params, faults } = parseParams(natsParams, given);
  if (faults.length > 0) throw new Error(faults.join('; '));
  return params;
}

describe('the reading of a snapshot', () => {
  it.each([
    [{}, {}, 0, false],
    [{ pending: 3 }, {}, 3, true],
    [{ ackPending: 2, redelivered: 2 }, {}, 2, true],
    [{ pending: 3, ackPending: 2 }, { activationLagThreshold: '5' }, 5, false],
    [{ pending: 4, ackPending: 2 }, { activationLagThreshold: '5' }, 6, true],
    [{ pending: 1, paused: true }, {}, 1, true],
  ])('of %j with %j: %i, active: %s', (consumer, metadata, items, active) => {
    expect(backlog(paramsOf(metadata), snapshotOf(consumer))).toMatchObject({ kind: 'known', items, active });
  });

  it.each([
    [undefined, undefined],
    [1, { most: 1 }],
    [1000, { most: 1000 }],
  ])('with max_ack_pending %s, useful are %j', (maxAckPending, useful) => {
    expect(backlog(paramsOf(), snapshotOf({ pending: 9, maxAckPending }))).toHaveProperty(
      ...((useful === undefined ? ['kind', 'known'] : ['useful', useful]) as [string, unknown]),
    );
  });

  const behind = (count: number) => ({ leader: 'n1', replicas: [{ name: 'n2', behind: count }] });
  it.each([
    ['is that of the leader of the stream', 0, 'n1', mostBehind + 1, 'known'],
    ['has not caught up', 0, 'n2', mostBehind + 1, 'unknown'],
    ['is away', 0, 'n2', Number.POSITIVE_INFINITY, 'unknown'],
    ['is as far as servers usually are', 0, 'n2', mostBehind, 'known'],
    ['has not caught up, and has a number', 3, 'n2', mostBehind + 1, 'known'],
    ['is none that the stream names', 0, 'n3', mostBehind + 1, 'known'],
  ])('if the answering server %s', (_, pending, leader, by, kind) => {
    expect(backlog(paramsOf(), snapshotOf({ pending, leader }, behind(by))).kind).toBe(kind);
  });

  it('is not believed if it is 0, and comes from a server that knows of no leader', () => {
    const kindOf = (pending: number) =>
      backlog(paramsOf(), snapshotOf({ pending, leader: 'n1' }, { isLeaderless: true })).kind;
    expect([kindOf(0), kindOf(3)]).toEqual(['unknown', 'known']);
  });

  it('says why a zero is not believed', () => {
    expect(backlog(paramsOf(), snapshotOf({ leader: 'n2' }, behind(500)))).toMatchObject({
      error: { code: 'unavailable', message: expect.stringMatching(/server "n2", .* has not caught up/) },
    });
  });

  it('has parts that add up to it, and never fewer arrivals than waiting messages', () => {
    const count = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(
        fc.record({ pending: count, ackPending: count, done: count }),
        ({ pending, ackPending, done }) => {
          const reading = backlog(
            paramsOf(),
            snapshotOf({ pending, ackPending, deliveries: ackPending + done }),
          );
          if (reading.kind !== 'known') throw new Error(reading.kind);
          const working = reading.working?.();
          expect(working?.rows.reduce((sum, { items }) => sum + items, 0)).toBe(reading.items);
          expect(reading.flow?.arrived).toBeGreaterThanOrEqual(reading.items);
        },
      ),
    );
  });
});

it('the target is the number for one replica, and its name has stream and consumer', () => {
  expect(target(paramsOf())).toEqual({ perReplica: 10, activation: 0, nameParts: ['orders', 'worker'] });
  expect(target(paramsOf({ lagThreshold: '2.5', activationLagThreshold: '7' }))).toMatchObject({
    perReplica: 2.5,
    activation: 7,
  });
});

describe('invalid keys of a trigger', () => {
  it.each([
    [{ stream: 'a.b' }, 'stream: must be a name without spaces and without . * > / \\, got "a.b"'],
    [{ consumer: '>' }, 'consumer: must be a name'],
    [{ consumer: 'a b' }, 'consumer: must be a name'],
    [{ stream: '' }, 'stream: '],
    [{ lagThreshold: '0' }, 'lagThreshold: '],
    [{ activationLagThreshold: '-1' }, 'activationLagThreshold: '],
  ])('%j', (metadata, fault) => {
    expect(() => paramsOf(metadata as Record<string, string>)).toThrow(fault);
  });
});
