import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { age } from '../../fakes/aged-event-log.ts';
import { FileEventLog } from '../../src/event-log/file.ts';
import { type Entry, LevelStore } from '../../src/event-log/level-store.ts';
import type { EventFeed, InboundEvent } from '../../src/sources/inbound.ts';
import { type Logger, silentLogger } from '../../src/telemetry/log.ts';

export { age };

export function eventDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'backlog-scaler-events-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A directory with an empty log that is older than any TTL. */
export async function agedEventDir(...connections: readonly string[]): Promise<string> {
  const dir = eventDir();
  await age(dir, connections);
  return dir;
}

export function inbound(fact: number, connection = 'ci', receivedAtMs = Date.now()): InboundEvent {
  return { connection, type: 'workflow_job.queued', id: String(fact), receivedAtMs, fact };
}

/** LevelDB on a real disk. It can be made to fail, and counts its writes. */
export class TestStore extends LevelStore {
  failing: Error | undefined;
  puts = 0;

  override async put(entries: readonly Entry[]): Promise<void> {
    this.puts += 1;
    if (this.failing !== undefined) throw this.failing;
    await super.put(entries);
  }

  override async open(): Promise<void> {
    if (this.failing !== undefined) throw this.failing;
    await super.open();
  }
}

interface Options {
  dir?: string;
  retentionMs?: number;
  maxEvents?: number;
  log?: Logger;
}

export async function openLog({
  dir = eventDir(),
  retentionMs = 3_600_000,
  maxEvents = 10_000,
  log = silentLogger,
}: Options = {}) {
  const store = new TestStore(dir);
  const events = new FileEventLog({ store, retentionMs, maxEvents, log });
  await events.open();
  onTestFinished(() => events.close());
  return { events, store, dir };
}

/** Follows a feed and collects its facts. `replayed` resolves after the kept ones. */
export function followed(feed: EventFeed) {
  const facts: unknown[] = [];
  let unfollow = () => {};
  const replayed = new Promise<void>((resolve) => {
    unfollow = feed.follow(({ fact }) => facts.push(fact), resolve);
  });
  return { facts, replayed, unfollow: () => unfollow() };
}
