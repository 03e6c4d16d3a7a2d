import { describe, expect, it } from 'vitest';
import { MemoryEventLog } from '../../../src/event-log/memory.ts';
import type { InboundEvent } from '../../../src/sources/inbound.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { recordingLog } from '../../support/recording-log.ts';

const event = (fact: number, connection = 'ci'): InboundEvent => ({
  connection,
  type: 'workflow_job.queued',
  id: String(fact),
  receivedAtMs: fact,
  fact,
});

function logOf(maxEvents = 100) {
  const log = new MemoryEventLog({ maxEvents, log: silentLogger });
  const follow = (connection = 'ci') => {
    const facts: unknown[] = [];
    const unfollow = log.feedOf(connection).follow(({ fact }) => facts.push(fact));
    return { facts, unfollow };
  };
  return { log, follow };
}

describe('MemoryEventLog', () => {
  it('gives kept events and then new ones to all followers, before it has appended', async () => {
    const { log, follow } = logOf();
    await log.append(event(1));
    const early = follow();
    void log.append(event(2));
    expect(early.facts).toEqual([1, 2]);
    expect(follow().facts).toEqual([1, 2]);
  });

  it('keeps connections apart', async () => {
    const { log, follow } = logOf();
    const [ci, other] = [follow('ci'), follow('other')];
    await log.append(event(1, 'other'));
    await log.append(event(2));
    expect([ci.facts, other.facts, follow('other').facts]).toEqual([[2], [1], [1]]);
  });

  it('gives nothing to a follower that has left, and everything to the others', async () => {
    const { log, follow } = logOf();
    const [leaves, stays] = [follow(), follow()];
    leaves.unfollow();
    leaves.unfollow();
    await log.append(event(1));
    expect([leaves.facts, stays.facts]).toEqual([[], [1]]);
    stays.unfollow();
    const again = follow();
    await log.append(event(2));
    expect(again.facts).toEqual([1, 2]);
  });

  it('takes from the connection with the most events if there are too many', async () => {
    const { log, follow } = logOf(100);
    for (let i = 1; i <= 10; i += 1) await log.append(event(i, 'small'));
    for (let i = 1; i <= 27_000; i += 1) await log.append(event(Date.now() + 60_000 + i, 'large'));
    expect(follow('small').facts).toHaveLength(10);
    expect(log.feedOf('small').keptSince().because).toBe('memory');
    expect(log.feedOf('large').keptSince().because).toBe('dropped');
  });

  it('has every event of a connection since it first heard of it', async () => {
    const { log, follow } = logOf();
    const beforeMs = Date.now() - 1000;
    follow();
    const { atMs, because } = log.feedOf('ci').keptSince();
    expect([because, atMs > beforeMs]).toEqual(['memory', true]);
    await log.append(event(1));
    follow().unfollow();
    expect(log.feedOf('ci').keptSince()).toEqual({ atMs, because });
  });

  it.each([1, 3, 100])('keeps the newest of %i, at most a quarter more', async (maxEvents) => {
    const { log, follow } = logOf(maxEvents);
    for (let i = 1; i <= 1000; i += 1) {
      await log.append(event(i));
      const { facts, unfollow } = follow();
      unfollow();
      expect(facts.length).toBeLessThanOrEqual(maxEvents * 1.25);
      expect(facts.length).toBeGreaterThanOrEqual(Math.min(i, maxEvents));
      expect(facts.at(-1)).toBe(i);
    }
  });

  it('keeps an event that a ledger cannot take, says so, and feeds the others', async () => {
    const said = recordingLog();
    const log = new MemoryEventLog({ maxEvents: 10, log: said });
    const facts: unknown[] = [];
    log.feedOf('ci').follow(() => {
      throw new TypeError('not a job');
    });
    log.feedOf('ci').follow(({ fact }) => facts.push(fact));
    await log.append(event(7));
    expect(facts).toEqual([7]);
    const fields = { connection: 'ci', type: 'workflow_job.queued', error: 'not a job' };
    expect(said.lines).toMatchObject([{ level: 'error', fields }]);
  });

  it('gives nothing after it is closed', async () => {
    const { log, follow } = logOf();
    const { facts } = follow();
    await log.close();
    await log.append(event(1));
    expect(facts).toEqual([]);
  });
});
