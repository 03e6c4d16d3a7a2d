import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { KedaClient } from '../fakes/keda/keda-client.ts';
import type { ScaledObjectRef } from '../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import type { Invariants, Said } from './invariants.ts';

/** KEDA waits forever, and holds a mutex. A longer wait than this counts as no answer. */
const limitMs = 5000;

export interface AskingOptions {
  /** `host:port`, or several in gRPC's form. */
  readonly address: string;
  readonly reference: ScaledObjectRef;
  readonly subject: string;
  readonly invariants: Invariants;
  readonly everyMs: number;
  readonly credentials?: ChannelCredentials;
}

/** Calls for one trigger as KEDA does, only more often: round-robin calls, and both streams, opened again when they end. */
export class Asking {
  private readonly options: AskingOptions;
  private readonly client: KedaClient;
  private readonly stopped = new AbortController();
  private readonly loop: Promise<void>;

  constructor(options: AskingOptions) {
    const { address, reference, credentials, subject, invariants } = options;
    this.options = options;
    this.client = new KedaClient(address, reference, credentials);
    this.client.followTarget(() => {});
    this.client.followActivity((active) => invariants.pushed(subject, performance.now(), active));
    this.loop = this.ask();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    this.client.close();
    await this.loop;
  }

  private async ask(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      await Promise.all([
        this.one('GetMetrics', async () => ({ kind: 'number', items: await this.client.value('') })),
        this.one('IsActive', async () => ({ kind: 'activity', active: await this.client.isActive() })),
      ]);
      await sleep(this.options.everyMs, undefined, { signal }).catch(() => {});
    }
  }

  private async one(call: string, ask: () => Promise<Said>): Promise<void> {
    const { subject, invariants } = this.options;
    const askedMs = performance.now();
    const limit = new AbortController();
    const silence = sleep(limitMs, undefined, { signal: limit.signal }).then((): Said => {
      return { kind: 'error', message: `no answer in ${limitMs / 1000} s` };
    });
    silence.catch(() => {});
    const said = await Promise.race([
      ask().catch((error: unknown): Said => {
        return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
      }),
      silence,
    ]);
    limit.abort();
    if (this.stopped.signal.aborted) return;
    invariants.answer({ subject, call, askedMs, answeredMs: performance.now(), said });
  }
}
