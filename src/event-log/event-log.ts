import type { EventFeed, InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { FileEventLog } from './file.ts';
import { LevelStore } from './level-store.ts';
import { MemoryEventLog } from './memory.ts';

/**
 * Where verified events from outside are kept, and from where every ledger is fed. What is appended reaches
 * those who follow before `append` resolves; a ledger that opens later is fed with what is kept.
 */
export interface EventLog {
  /** Once, before anything is appended or followed. Rejects with ScalerError where the log cannot be used. */
  open(): Promise<void>;
  /** Resolves when the event is as safe as this log makes it; rejects with ScalerError where it cannot be kept. */
  append(event: InboundEvent): Promise<void>;
  feedOf(connection: string): EventFeed;
  /** What is being appended is still kept. */
  close(): Promise<void>;
}

/** `eventLog` of the configuration. */
export type EventLogSettings =
  | { readonly type: 'memory'; readonly maxEvents: number }
  | {
      readonly type: 'file';
      readonly dir: string;
      readonly retentionSeconds: number;
      readonly maxEvents: number;
    };

export function createEventLog(settings: EventLogSettings, log: Logger): EventLog {
  const { maxEvents } = settings;
  if (settings.type === 'memory') return new MemoryEventLog({ maxEvents, log });
  const { dir, retentionSeconds } = settings;
  return new FileEventLog({
    store: new LevelStore(dir),
    retentionMs: retentionSeconds * 1000,
    maxEvents,
    log,
  });
}
