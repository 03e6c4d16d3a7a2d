import type { KV } from '@nats-io/kv';
import { isOvertaken } from '../../outbound/nats.ts';
import type { Up } from '../../pods/link.ts';
import type { KeptSince } from '../../sources/inbound.ts';

/** A dot would split a subject, and a bucket's key may not have one everywhere. No connection's name has a `=`. */
export const token = (connection: string): string => connection.replaceAll('.', '=');

/** No connection's name begins with `=`. */
export const streamKey = '=stream';

/** The bucket beside the stream: a key for the whole stream, and one for each connection. */
export class Heads {
  private readonly bucket: KV;

  private constructor(bucket: KV) {
    this.bucket = bucket;
  }

  static async open({ jetstream }: Up, stream: string, replicas: number): Promise<Heads> {
    const { Kvm } = await import('@nats-io/kv');
    return new Heads(await new Kvm(jetstream).create(`${stream}-since`, { replicas, history: 1 }));
  }

  /** Events from before a connection was first followed are unknown. `nowMs` is by the clock of NATS. */
  ofConnection(connection: string, nowMs: number): Promise<KeptSince> {
    const isNew = (known: KeptSince | undefined): KeptSince => known ?? { atMs: nowMs, because: 'new' };
    return this.change(token(connection), isNew);
  }

  /** Since when the whole stream has every event. `nowMs` is by the clock of NATS. */
  stream(nowMs: number): Promise<KeptSince> {
    const isKnown = (known: KeptSince | undefined): KeptSince => known ?? { atMs: nowMs, because: 'damaged' };
    return this.change(streamKey, isKnown);
  }

  /** Writes what `next` makes of the stored value, unless it is the same. Another pod may write at the same time. */
  async change<T>(key: string, next: (known: T | undefined) => T): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const entry = await this.bucket.get(key);
      // Only our own pods write to the bucket.
      const known = entry?.operation === 'PUT' ? entry.json<T>() : undefined;
      const value = next(known);
      if (value === known) return value;
      const text = JSON.stringify(value);
      try {
        if (entry === null) await this.bucket.create(key, text);
        else await this.bucket.update(key, text, entry.revision);
        return value;
      } catch (reason) {
        if (attempt >= mostAttempts || !isOvertaken(reason)) throw reason;
      }
    }
  }
}

const mostAttempts = 10;
