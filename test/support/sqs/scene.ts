import { expect, vi } from 'vitest';
import { type Answered, ask, Polling } from '../github-keda.ts';
import { ref } from '../rpc-client.ts';
import { WholeScaler } from '../whole-scaler.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { postHints } from './hint-storm.ts';
import { region } from './region.ts';
import type { TestQueues } from './test-queues.ts';
import type { Test, TestSqs } from './use-sqs.ts';

type Metadata = Readonly<Record<string, string>>;

export const token = 'a-token-for-whoever-may-wake-queues';

/** As often as the configuration allows. */
export const eager = { idleReadSeconds: 1, activeReadSeconds: 1 };
/** Only hints cause reads: by the clock, none comes during a test. */
export const onHintsOnly = { idleReadSeconds: 7200, activeReadSeconds: 7200 };
/** No read for the sake of freshness either. */
export const longLived: Metadata = { maxStalenessSeconds: '86400' };
/** A reading becomes too old within a test. */
export const shortLived: Metadata = { maxStalenessSeconds: '2' };

export interface SceneOptions {
  /** Settings of the connection `jobs`, beside the address of SQS. */
  readonly connection?: object;
  readonly limits?: object;
  readonly files?: Readonly<Record<string, string>>;
}

/** A scaler of one SQS behind a proxy, with a port for hints. */
export class SqsScene {
  readonly proxy: FaultProxy;
  readonly queues: TestQueues;
  private readonly options: SceneOptions;
  private running: WholeScaler;

  static async start(test: Test, sqs: TestSqs, options: SceneOptions = {}): Promise<SqsScene> {
    const proxy = await sqs.proxy(test);
    const running = await WholeScaler.start(configured(proxy, options), options.files);
    const scene = new SqsScene(sqs.queues, proxy, options, running);
    test.onTestFinished(() => scene.running.stop());
    return scene;
  }

  private constructor(queues: TestQueues, proxy: FaultProxy, options: SceneOptions, running: WholeScaler) {
    this.queues = queues;
    this.proxy = proxy;
    this.options = options;
    this.running = running;
  }

  get scaler(): WholeScaler {
    return this.running;
  }

  /** Ends the scaler and starts another one that knows nothing of it. */
  async restart(): Promise<void> {
    await this.running.stop();
    this.running = await WholeScaler.start(configured(this.proxy, this.options), this.options.files);
  }

  reload(connection: object, files: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.running.reload(configured(this.proxy, { ...this.options, connection }), files);
  }

  /** The address of a queue at the proxy. */
  url(queue: string): string {
    return this.proxy.url + this.queues.path(queue);
  }

  trigger(queue: string, metadata: Metadata = {}): ReturnType<typeof ref> {
    const given = { source: 'sqs', connection: 'jobs', queueURL: queue, ...metadata };
    return ref(`worker-${JSON.stringify(given)}`, given);
  }

  ask(queue: string, metadata?: Metadata): Promise<Answered> {
    return ask(this.running.client, this.trigger(queue, metadata));
  }

  /** Resolves when KEDA gets this answer. */
  async becomes(queue: string, answer: Partial<Answered>, metadata?: Metadata): Promise<void> {
    await eventually(async () => expect(await this.ask(queue, metadata)).toMatchObject(answer));
  }

  /** Resolves when KEDA gets neither a number nor an activity, for this reason. */
  async becomesUnknown(queue: string, code: string, why: RegExp, metadata?: Metadata): Promise<void> {
    await eventually(async () => {
      expect(await this.ask(queue, metadata)).toEqual({ number: code, active: code });
      const answer = this.running.client.getMetrics(this.trigger(queue, metadata), '');
      await expect(answer).rejects.toMatchObject({ details: expect.stringMatching(why) });
    });
  }

  /** Asks over and over, much more often than KEDA does. */
  poll(test: Test, queue: string, metadata?: Metadata): Polling {
    const polling = new Polling(this.running.client, this.trigger(queue, metadata));
    test.onTestFinished(async () => void (await polling.stop()));
    return polling;
  }

  /** The scaler's log. */
  said(): string {
    return JSON.stringify(this.running.log.lines);
  }

  /** Posts a hint, and resolves with the status. Without a subject it means every queue. */
  async hint(subject: string, authorization = `Bearer ${token}`): Promise<number> {
    const url = `http://127.0.0.1:${this.running.port('ingest')}${hintPath(subject)}`;
    const { status } = await fetch(url, { method: 'POST', headers: { authorization } });
    return status;
  }

  /** Posts hints at this rate. Resolves with how many were accepted. */
  storm(subject: string, rate: { perSecond: number; seconds: number }): Promise<{ taken: number }> {
    return postHints({ port: this.running.port('ingest'), path: hintPath(subject), token, ...rate });
  }

  /** How often the queue's counts were requested. */
  reads(queue: string): number {
    return this.proxy.count({ operation: 'GetQueueAttributes', queue });
  }
}

function hintPath(subject: string): string {
  return `/ingest/hint/jobs${subject === '' ? '' : `/${encodeURIComponent(subject)}`}`;
}

export function eventually(check: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(check, { timeout: 30_000, interval: 25 });
}

const anyPort = { host: '127.0.0.1', port: 0 };

function configured(proxy: FaultProxy, { connection, limits }: SceneOptions): object {
  const credentials = { accessKeyId: 'scaler', secretAccessKey: 'scaler' };
  return {
    ingest: { ...anyPort, tokens: [{ name: 'producers', token, connections: ['jobs'] }] },
    connections: { jobs: { source: 'sqs', region, endpoint: proxy.url, credentials, ...connection } },
    ...(limits ? { limits } : {}),
  };
}
