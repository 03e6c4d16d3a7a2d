import { vi } from 'vitest';
import type { WatchSettings } from '../../../src/sources/kafka/upstream/watch/settings.ts';
import { Watcher } from '../../../src/sources/kafka/upstream/watch/watcher.ts';
import type { Watch } from '../../../src/sources/source.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { ModelCluster } from './model-fetch-broker.ts';

/** A watch, and its wakes. */
export interface Armed {
  readonly watch: Watch;
  readonly causes: string[];
}

/** A watcher on a model cluster, under Vitest's fake timers. */
export class Watching {
  readonly cluster = new ModelCluster();
  readonly warnings: string[] = [];
  readonly said: string[] = [];
  /** Brokers with a connection that was found dead. */
  readonly silent: string[] = [];
  readonly watcher: Watcher;

  constructor(settings: Partial<WatchSettings> = {}) {
    const log = {
      ...silentLogger,
      warn: (_: object, message: string) => void this.warnings.push(message),
      info: (_: object, message: string) => void this.said.push(message),
    };
    const onSilent = (address: string) => void this.silent.push(address);
    this.watcher = new Watcher({ dialer: this.cluster, leaders: this.cluster, log, onSilent }, settings);
  }

  /** Arms `topic/partition` keys from their present ends, or from given ones. */
  arm(keys: readonly string[], from: { ends?: readonly number[]; readCommitted?: boolean } = {}): Armed {
    const partitions = keys.map((key, at) => {
      const [topic = '', partition] = key.split('/');
      return {
        topic,
        partition: Number(partition),
        end: from.ends?.[at] ?? this.cluster.end(topic, Number(partition)),
      };
    });
    const causes: string[] = [];
    const isolationLevel = from.readCommitted ? 'readCommitted' : 'readUncommitted';
    const watch = this.watcher.arm({ partitions, isolationLevel }, (cause) => causes.push(cause));
    return { watch, causes };
  }

  /** Arms, and waits until the broker has acknowledged. */
  async armed(...args: Parameters<Watching['arm']>): Promise<Armed> {
    const armed = this.arm(...args);
    await pass(20);
    return armed;
  }
}

export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
