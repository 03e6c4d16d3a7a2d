import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { ScalerError } from '../errors.ts';
import { connectNats, type NatsSettings } from '../outbound/nats.ts';
import type { PeerDuties, Peers } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { PodPeers } from './peers.ts';

const connectAgainMs = 1_000;
/** Leases are renewed all the time: what is older is of a connection that is gone. */
const forgottenAfterMs = 3_600_000;
/** JetStream is asked for a lease: what comes later is of no use. */
const leaseLimitMs = 1_000;

export interface PodsOptions {
  readonly nats: NatsSettings;
  /** The name of the event log's stream: pods that have it belong together. */
  readonly stream: string;
  readonly replicas: number;
  readonly log: Logger;
  /** Whether this pod has the lease of the connection; undefined: it wants none any more. */
  readonly held: (connection: string, held: boolean | undefined) => void;
}

/**
 * The pods of the scaler that share an event log in NATS. Has its own connection there, so that a log that is being read
 * from its beginning holds up no lease. NATS may be away at the start: then nobody has a lease until it is there.
 */
export class Pods {
  private readonly options: PodsOptions;
  private readonly closing = new AbortController();
  private readonly nats: Promise<NatsConnection>;
  private readonly bucket: Promise<KV>;
  private readonly holding = new Map<string, boolean>();

  constructor(options: PodsOptions) {
    this.options = options;
    this.nats = this.untilDone(() => connectNats(options.nats, 'backlog-scaler pods'));
    // Where it comes up only when nobody wants it any more.
    void this.nats.then((nats) => (this.closing.signal.aborted ? nats.close() : undefined));
    this.bucket = this.untilDone(() => this.openBucket());
  }

  /** `place`: what is measured there. Pods only belong together where it is equal: during a change it may differ. */
  peersOf(connection: string, place: string, duties: PeerDuties, log: Logger): Peers {
    const { stream, held } = this.options;
    const key = `${connection.replace(/[^-\w]/g, '_')}-${digest(`${connection} ${place}`)}`;
    const peers = new PodPeers({
      nats: this.nats,
      bucket: this.bucket,
      subject: `${stream}.pods.${key}`,
      key,
      id: randomUUID(),
      duties,
      log,
      held: (has) => {
        this.holding.set(connection, has);
        held(connection, has);
      },
    });
    return peers;
  }

  /** Whether this pod has the lease of the connection; undefined where that has none. */
  holds(connection: string): boolean | undefined {
    return this.holding.get(connection);
  }

  forget(connection: string): void {
    this.holding.delete(connection);
    this.options.held(connection, undefined);
  }

  /** After all that was made here was closed. Never rejects. */
  async close(): Promise<void> {
    this.closing.abort();
    const nats = await Promise.race([this.nats, undefined]);
    await nats?.close().catch(() => {});
  }

  private async openBucket(): Promise<KV> {
    const { stream, replicas } = this.options;
    const nats = await this.nats;
    const [{ Kvm }, { jetstream }] = await Promise.all([import('@nats-io/kv'), import('@nats-io/jetstream')]);
    return new Kvm(jetstream(nats, { timeout: leaseLimitMs })).create(`${stream}-leases`, {
      ttl: forgottenAfterMs,
      replicas,
    });
  }

  /** Tries until it is done, or for ever: what needs it waits. Nothing waits for it after `close`. */
  private async untilDone<T>(task: () => Promise<T>): Promise<T> {
    let told = false;
    for (;;) {
      try {
        return await task();
      } catch (reason) {
        const { message } = ScalerError.from(reason);
        if (!told) this.options.log.warn({ error: message }, 'pods cannot agree who asks upstreams');
        told = true;
      }
      await sleep(connectAgainMs, undefined, { signal: this.closing.signal, ref: false }).catch(() => {});
      if (this.closing.signal.aborted) return new Promise(() => {});
    }
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
