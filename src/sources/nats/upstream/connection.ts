import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { Connection, ConnectionDeps, Deliver, Subject, SubjectRef, Wake, Watch } from '../../source.ts';
import type { NatsConfig } from '../config.ts';
import type { NatsParams } from '../params.ts';
import { hasMoved, type NatsSnapshot, type StreamFacts } from '../rules/snapshot.ts';
import { JetStreamApi } from './api.ts';
import { fromNats } from './errors.ts';
import { Link } from './link.ts';
import { Watcher } from './watch.ts';

/** What is to be read. Equal for all triggers of a subject. */
export interface NatsNeed {
  readonly stream: string;
  readonly consumer: string;
}

/** How long what was said of a stream is good for its other consumers, which are read one by one. */
const streamSharedMs = 500;
const mostStreams = 1_000;

/**
 * A message reaches us as soon as it is published, and the stream a moment later; a cluster has to agree on it first. So long
 * it is waited for, in steps, until the consumer has it.
 */
const afterMessageMs = [2, 5, 10, 20, 40, 80, 160, 320] as const;

type Deps = Pick<ConnectionDeps, 'log' | 'metrics'>;

/** One account of a NATS system. The client is loaded, and the connection made, when something is read. */
export function connect(config: NatsConfig, deps: Deps): NatsSource {
  return new NatsSource(config, deps);
}

export class NatsSource implements Connection<NatsParams, NatsSnapshot, NatsNeed> {
  private readonly config: NatsConfig;
  private readonly api: JetStreamApi;
  private readonly link: Link;
  private readonly watcher: Watcher;
  private readonly slot: ReturnType<typeof pLimit>;
  private readonly streams = new LRUCache<string, Promise<StreamFacts>>({
    max: mostStreams,
    ttl: streamSharedMs,
  });

  constructor(config: NatsConfig, { log, metrics }: Deps) {
    this.config = config;
    this.api = new JetStreamApi(config, metrics);
    this.link = new Link(config, () => this.watcher.lost());
    this.watcher = new Watcher({ nats: () => this.link.now, log });
    this.slot = pLimit(config.maxRequests);
  }

  subject({ stream, consumer }: Pick<NatsParams, 'stream' | 'consumer'>): SubjectRef<NatsNeed> {
    // Neither has a dot in it.
    const key = `${stream}.${consumer}`;
    return { key, hintNames: [stream, key], need: { stream, consumer } };
  }

  async read(
    subjects: readonly Subject<NatsNeed>[],
    deliver: Deliver<NatsSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      subjects.map(({ key, needs: [need] }) =>
        this.slot(async () => {
          if (need === undefined || signal.aborted) return;
          const read = this.readOne(key, need, signal);
          deliver(key, await read.catch((reason: unknown) => fromNats(reason, { ...this.config, ...need })));
        }),
      ),
    );
  }

  arm({ key, needs: [need] }: Subject<NatsNeed>, from: NatsSnapshot, wake: Wake): Watch {
    const { stream, consumer } = need ?? { stream: from.stream.name, consumer: from.consumer.name };
    const look = () => this.slot(async () => this.again(from, { stream, consumer }));
    return this.watcher.arm(key, from, look, wake);
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
    const nats = await this.link.get();
    const [stream, consumer] = await Promise.all([
      this.streamOf(nats, need.stream),
      this.api.consumerInfo(nats, need.stream, need.consumer),
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

  /** The snapshot with what is said of the consumer now. */
  private async again({ stream }: NatsSnapshot, need: NatsNeed): Promise<NatsSnapshot> {
    const nats = await this.link.get();
    return { stream, consumer: await this.api.consumerInfo(nats, need.stream, need.consumer) };
  }

  private streamOf(nats: NatsConnection, stream: string): Promise<StreamFacts> {
    const shared = this.streams.get(stream);
    if (shared !== undefined) return shared;
    const asked = this.api.streamInfo(nats, stream);
    this.streams.set(stream, asked);
    asked.catch(() => this.streams.delete(stream));
    return asked;
  }
}
