import type { NatsConnection } from '@nats-io/transport-node';
import { ScalerError } from '../../../errors.ts';
import { connectNats, type NatsSettings, natsFault } from '../../../outbound/nats.ts';

/** Our name in the monitoring and logs of servers. */
const clientName = 'backlog-scaler';

/**
 * The one connection to NATS, opened at its first use. While it is lost, requests fail at once. The client alone would
 * hold them back until they time out.
 */
export class Link {
  private readonly settings: NatsSettings;
  private readonly onLost: () => void;
  private connecting: Promise<NatsConnection> | undefined;
  private up: NatsConnection | undefined;
  /** Why it is lost. Undefined while it is not. */
  private lost: string | undefined;
  private closed = false;

  /** `onLost` is called when all subscriptions are gone. */
  constructor(settings: NatsSettings, onLost: () => void) {
    this.settings = settings;
    this.onLost = onLost;
  }

  /** Undefined while it is not connected. */
  get now(): NatsConnection | undefined {
    return this.lost === undefined ? this.up : undefined;
  }

  /** Rejects with ScalerError `unavailable`. */
  async get(): Promise<NatsConnection> {
    if (this.closed) throw new ScalerError('unavailable', 'the connection is closed');
    if (this.lost !== undefined) throw this.fault(this.lost);
    if (this.up !== undefined) return this.up;
    this.connecting ??= this.open();
    return this.connecting;
  }

  async close(): Promise<void> {
    this.closed = true;
    const nats = await this.connecting?.catch(() => undefined);
    await nats?.close();
  }

  private async open(): Promise<NatsConnection> {
    try {
      const nats = await connectNats(this.settings, clientName);
      this.up = nats;
      void this.follow(nats);
      return nats;
    } catch (reason) {
      this.connecting = undefined;
      throw reason;
    }
  }

  private async follow(nats: NatsConnection): Promise<void> {
    for await (const status of nats.status()) {
      switch (status.type) {
        case 'disconnect':
          this.lost ??= 'has closed the connection, or is silent';
          this.onLost();
          break;
        case 'error':
          if (this.lost !== undefined) this.lost = natsFault(status.error);
          break;
        case 'reconnect':
          this.lost = undefined;
          break;
      }
    }
    // The client has given up for good. It does so only after a fault that cannot be retried.
    this.lost ??= 'has ended the connection';
    this.onLost();
    this.lost = undefined;
    this.up = undefined;
    this.connecting = undefined;
  }

  private fault(why: string): ScalerError {
    return new ScalerError(
      'unavailable',
      `NATS at ${this.settings.servers.join(', ')} ${why}; it is connected to again`,
    );
  }
}
