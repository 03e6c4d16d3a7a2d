import type { Logger } from '../telemetry/log.ts';
import type { EventLog } from './event-log.ts';
import { FileEventLog } from './file.ts';
import { LevelStore } from './level-store.ts';
import { MemoryEventLog } from './memory.ts';

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
