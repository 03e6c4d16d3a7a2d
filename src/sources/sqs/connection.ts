import { LRUCache } from 'lru-cache';
import { ScalerError } from '../../errors.ts';
import type { Connection, ConnectionDeps, Deliver, Subject, SubjectRef } from '../source.ts';
import { SqsClient } from './client.ts';
import type { SqsConfig } from './config.ts';
import { urlOf } from './endpoint.ts';
import type { SqsParams } from './params.ts';
import type { SqsNeed, SqsSnapshot } from './snapshot.ts';

/** Far more queues than an account's triggers name. */
const maxUrls = 10_000;

/** One account and region, with one set of credentials. Nothing is sent before something is read. */
export function connect(config: SqsConfig, { metrics }: Pick<ConnectionDeps, 'metrics'>): SqsConnection {
  return new SqsConnection(config, new SqsClient(config, metrics));
}

export class SqsConnection implements Connection<SqsParams, SqsSnapshot, SqsNeed> {
  private readonly config: SqsConfig;
  private readonly client: SqsClient;
  private readonly slots: Slots;
  /** The URLs of queues that are known by name, each asked for once. */
  private readonly urls = new LRUCache<string, string>({ max: maxUrls });
  private readonly throttled = new ThrottledQueues(() => performance.now());

  constructor(config: SqsConfig, client: SqsClient) {
    this.config = config;
    this.client = client;
    this.slots = new Slots(config.maxSockets);
  }

  /** Every spelling of a queue's URL is one subject; its bare name is another, until AWS has said what it stands for. */
  subject({ queueURL }: SqsParams): SubjectRef<SqsNeed> {
    const { name, account, origin } = queueURL;
    const url = urlOf(this.config, queueURL);
    if (url === undefined) return { key: name, hintNames: [name], need: { name, url } };
    const asGiven = origin === undefined ? url : `${origin}/${account}/${name}`;
    return { key: `${account}/${name}`, hintNames: [...new Set([name, url, asGiven])], need: { name, url } };
  }

  async read(
    subjects: readonly Subject<SqsNeed>[],
    deliver: Deliver<SqsSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      subjects.map(({ key, needs: [need] }) =>
        this.slots.run(async () => {
          // Equal keys name the same queue.
          if (need === undefined || signal.aborted) return;
          deliver(
            key,
            await this.readOne(key, need, signal).catch((reason: unknown) => ScalerError.from(reason)),
          );
        }),
      ),
    );
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private async readOne(
    key: string,
    { name, url }: SqsNeed,
    signal: AbortSignal,
  ): Promise<{ snapshot: SqsSnapshot }> {
    const fault = this.throttled.fault(key);
    if (fault) throw fault;
    try {
      const known = url ?? (await this.urlOf(name, signal));
      return { snapshot: await this.client.counts({ name, url: known }, signal) };
    } catch (reason) {
      const error = ScalerError.from(reason);
      if (error.code === 'not_found') this.urls.delete(name);
      this.throttled.failed(key, error);
      throw error;
    }
  }

  private async urlOf(name: string, signal: AbortSignal): Promise<string> {
    const known = this.urls.get(name);
    if (known !== undefined) return known;
    const url = await this.client.queueUrl(name, signal);
    this.urls.set(name, url);
    return url;
  }
}

interface Pause {
  untilMs: number;
  error: ScalerError;
}

/** Queues whose reads AWS has throttled: until it may be asked again nothing is sent, not for a hint either. */
export class ThrottledQueues {
  private readonly pauses = new Map<string, Pause>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Why the queue is not to be read now; undefined: it may be. */
  fault(key: string): ScalerError | undefined {
    const pause = this.pauses.get(key);
    if (pause === undefined) return undefined;
    const retryAfterMs = pause.untilMs - this.now();
    if (retryAfterMs > 0) return new ScalerError(pause.error.code, pause.error.message, { retryAfterMs });
    this.pauses.delete(key);
    return undefined;
  }

  failed(key: string, error: ScalerError): void {
    if (error.retryAfterMs === undefined) return;
    const nowMs = this.now();
    // Of queues that nobody reads any more.
    for (const [other, { untilMs }] of this.pauses) if (untilMs <= nowMs) this.pauses.delete(other);
    this.pauses.set(key, { untilMs: nowMs + error.retryAfterMs, error });
  }
}

/** So many at a time; the others wait in their order. */
export class Slots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.free = slots;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}
