import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Connection, ConnectionDeps, Deliver, Subject, SubjectRef, Wake, Watch } from '../../source.ts';
import type { NatsConfig } from '../config.ts';
import type { NatsParams } from '../params.ts';
import { hasMoved, type NatsSnapshot, type StreamFacts } from '../rules/snapshot.ts';
import { JetStreamApi } from './api.ts';
import { fromNats } from './errors.ts';
import { Link } from './link.ts';
import { Watcher } from './watch.ts';

/** What to read. Equal for all triggers of a subject. */
export interface NatsNeed {
  readonly stream: string;
  readonly consumer: string;
}

/** How long an answer about a stream also serves its other consumers. */
const streamSharedMs = 500;
const mostStreams = 1_000;

/**
 * A watch hears a message as soon as it is published. The stream has it a moment later, once a cluster agrees on it. These
 * are the waits between reads until the consumer has it.
 */
const afterMessageMs = [2, 5, 10, 20, 40, 80, 160, 320] as const;

type Deps = Pick<ConnectionDeps, 'log' | 'metrics'>;

/** Opens an account of a NATS system. The client is loaded and connected at the first read. */
export function connect(config: NatsConfig, deps: Deps): NatsSource {
  return new NatsSource(config, deps);
}

export class NatsSource implements Connection<NatsParams, NatsSnapshot, NatsNeed> {
  /** For the texts of errors. */
  private readonly place: Pick<NatsConfig, 'servers' | 'domain'>;
  private readonly api: JetStreamApi;
  private readonly link: Link;
  private readonly watcher: Watcher;
  private readonly streams = new LRUCache<string, Promise<StreamFacts>>({
    max: mostStreams,
    ttl: streamSharedMs,
  });

  constructor(config: NatsConfig, { log, metrics }: Deps) {
    const { servers, domain } = config;
    this.place = { servers, ...(domain !== undefined && { domain }) };
    this.link = new Link(config, () => this.watcher.lost());
    this.api = new JetStreamApi(this.link, config, metrics);
    this.watcher = new Watcher({ nats: () => this.link.now, log });
  }

  subject({ stream, consumer }: Pick<NatsParams, 'stream' | 'consumer'>): SubjectRef<NatsNeed> {
    // Neither name has a dot.
    const key = `${stream}.${consumer}`;
    return { key, hintNames: [stream, key], need: { stream, consumer } };
  }

  async read(
    subjects: readonly Subject<NatsNeed>[],
    deliver: Deliver<NatsSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      subjects.map(async ({ key, needs: [need] }) => {
        if (need === undefined) return;
        const read = this.readOne(key, need, signal);
        deliver(key, await read.catch((reason: unknown) => fromNats(reason, { ...this.place, ...need })));
      }),
    );
  }

  arm({ key, needs: [need] }: Subject<NatsNeed>, from: NatsSnapshot, wake: Wake): Watch {
    const { stream, consumer } = need ?? { stream: from.stream.name, consumer: from.consumer.name };
    return this.watcher.arm(key, from, () => this.again(from, { stream, consumer }), wake);
  }

  async close(): Promise<void> {
    this.watcher.lost();
    await this.link.close();
  }

  private async readOne(
    key: string,
    need: NatsNeed,
    signal: AbortSignal,
  ): Promise<{ snapshot: NatsSnapshot }> {
    const beganAtMs = performance.now();
    const heardFrom = this.watcher.takeHeard(key);
    const [stream, consumer] = await Promise.all([
      this.streamOf(need.stream),
      this.api.consumerInfo(need.stream, need.consumer),
    ]);
    let snapshot: NatsSnapshot = { stream, consumer };
    if (heardFrom !== undefined) {
      for (const ms of afterMessageMs) {
        if (hasMoved(heardFrom, snapshot) || signal.aborted) break;
        await sleep(ms);
        snapshot = await this.again(snapshot, need);
      }
      this.watcher.heardFor(key, hasMoved(heardFrom, snapshot));
    }
    await this.watcher.seen(key, beganAtMs, snapshot);
    return { snapshot };
  }

  /** The snapshot with the consumer as it is now. */
  private async again({ stream }: NatsSnapshot, need: NatsNeed): Promise<NatsSnapshot> {
    return { stream, consumer: await this.api.consumerInfo(need.stream, need.consumer) };
  }

  private streamOf(stream: string): Promise<StreamFacts> {
    const shared = this.streams.get(stream);
    if (shared !== undefined) return shared;
    const asked = this.api.streamInfo(stream);
    this.streams.set(stream, asked);
    asked.catch(() => this.streams.delete(stream));
    return asked;
  }
}
