import { ScalerError } from '../errors.ts';
import type { Pods } from '../pods/pods.ts';
import type { EventFeed, InboundEvent } from '../sources/inbound.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { FileEventLog } from './file.ts';
import { LevelStore } from './level-store.ts';
import { MemoryEventLog } from './memory.ts';
import { NatsEventLog, type NatsLogSettings } from './nats/log.ts';

/**
 * Keeps verified events from outside and feeds every ledger. An event reaches all followers before its `append`
 * resolves. A ledger that opens later gets the kept events.
 */
export interface EventLog {
  /** Called once, before any `append` or `follow`. Rejects with ScalerError if the log cannot be used. */
  open(): Promise<void>;
  /** Resolves when the event is as safe as this log makes it. Rejects with ScalerError if it cannot be kept. */
  append(event: InboundEvent): Promise<void>;
  feedOf(connection: string): EventFeed;
  /** Still keeps the events whose `append` is under way. */
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
    }
  | ({ readonly type: 'nats' } & NatsLogSettings);

export interface EventLogDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What the pods share. Only with `nats`. */
  readonly pods: Pods | undefined;
}

export function createEventLog(settings: EventLogSettings, { log, metrics, pods }: EventLogDeps): EventLog {
  if (settings.type === 'memory') return new MemoryEventLog({ maxEvents: settings.maxEvents, log });
  if (settings.type === 'nats') {
    if (pods === undefined) throw new ScalerError('internal', 'the event log in NATS has no way to NATS');
    return new NatsEventLog({ settings, link: pods.link, log, metrics });
  }
  const { dir, retentionSeconds, maxEvents } = settings;
  return new FileEventLog({
    store: new LevelStore(dir),
    retentionMs: retentionSeconds * 1000,
    maxEvents,
    log,
  });
}
