import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { ScalerError } from '../errors.ts';
import { connectNats, isNotAllowed, type NatsSettings, natsFault } from '../outbound/nats.ts';
import { backoffMs } from '../retry.ts';
import type { Logger } from '../telemetry/log.ts';

export interface LinkSettings extends NatsSettings {
  /** The JetStream domain, if it is not that of the server. */
  readonly domain?: string;
}

/** NATS while it is connected. */
export interface Up {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Aborted when NATS goes away. Requests are then not answered. */
  readonly signal: AbortSignal;
}

export interface LinkOptions {
  readonly settings: LinkSettings;
  readonly log: Logger;
}

const mostBackoffMs = 5_000;
/** When a refused subscription is tried again. Somebody may have granted the permission meanwhile. */
const refusedMs = 30_000;

/**
 * The one connection to NATS for everything that pods do together. It opens in the background, so no start waits for it,
 * and reconnects forever. A listener given to `onUp` runs at the first connect, and again after each break.
 */
export class NatsLink {
  private readonly options: LinkOptions;
  private readonly listeners = new Set<(up: Up) => void>();
  private readonly closing = new AbortController();
  private running: Promise<void> | undefined;
  private connection: NatsConnection | undefined;
  private current: { readonly up: Up; readonly gone: AbortController } | undefined;
  private said: string | undefined;
  private readonly denied = new Set<string>();

  constructor(options: LinkOptions) {
    this.options = options;
  }

  /** Undefined while NATS is away. */
  get up(): Up | undefined {
    return this.current?.up;
  }

  /** Why NATS is away. Undefined while it is connected, and before the first attempt has failed. */
  get fault(): string | undefined {
    return this.said;
  }

  /** Calls `listener` each time NATS is connected, and at once if it is. Returns a function that ends this. */
  onUp(listener: (up: Up) => void): () => void {
    this.listeners.add(listener);
    if (this.current !== undefined) listener(this.current.up);
    return () => this.listeners.delete(listener);
  }

  /**
   * Hands on the messages of a subject, until the returned function is called. `refused` gets the reason if none can come,
   * such as a missing permission. It is tried again later, and `refused` is called once until it succeeds.
   */
  listen(
    subject: string,
    take: (message: Msg) => void,
    refused: (error: string, subject: string) => void,
  ): () => void {
    let on: { readonly connection: NatsConnection; readonly subscription: Subscription } | undefined;
    let again: NodeJS.Timeout | undefined;
    let isRefused = false;
    const listen = ({ connection }: Up): void => {
      // The client restores a subscription after a break, but not one that the server refused.
      if (on?.connection === connection) return;
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) {
            isRefused = false;
            take(message);
            return;
          }
          on = undefined;
          clearTimeout(again);
          again = setTimeout(() => {
            if (this.up !== undefined) listen(this.up);
          }, refusedMs).unref();
          if (!isRefused) refused(natsFault(error), subject);
          isRefused = true;
        },
      });
      on = { connection, subscription };
    };
    const end = this.onUp(listen);
    return () => {
      end();
      clearTimeout(again);
      on?.subscription.unsubscribe();
    };
  }

  /** Starts to connect, and does not wait for it. */
  open(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.listeners.clear();
    this.current?.gone.abort();
    this.current = undefined;
    // A connection that is still being opened is closed afterwards. That takes at most `connectTimeoutMs`.
    await this.connection?.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.hold(await connectNats(this.options.settings, `backlog-scaler ${hostname()}`));
        failures = 0;
      } catch (reason) {
        this.away(ScalerError.from(reason).message);
        const waitMs = backoffMs(failures, Math.random(), mostBackoffMs);
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Resolves when the client gives up the connection. It does so only when closed. */
  private async hold(connection: NatsConnection): Promise<void> {
    if (this.closing.signal.aborted) return connection.close();
    this.connection = connection;
    const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const { domain, requestTimeoutMs } = this.options.settings;
    const options = { timeout: requestTimeoutMs, ...(domain !== undefined && { domain }) };
    const parts = {
      connection,
      jetstream: jetstream(connection, options),
      manager: await jetstreamManager(connection, { ...options, checkAPI: false }),
    };
    this.comeUp(parts);
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.away(`NATS at ${status.server} is gone`);
      else if (status.type === 'reconnect') this.comeUp(parts);
      else if (status.type === 'error' && this.current === undefined) {
        this.away(`NATS at ${this.options.settings.servers.join(', ')} ${natsFault(status.error)}`);
      } else if (status.type === 'error') this.refused(status.error);
    }
    this.away('the connection to NATS is closed');
  }

  /** Without this, messages that may not be published would be lost in silence. Logs once for each kind of subject. */
  private refused(error: Error): void {
    if (!isNotAllowed(error) || !('subject' in error) || !('operation' in error)) return;
    if (error.operation !== 'publish') return;
    const subject = String(error.subject);
    // What follows may be random.
    const kind = subject.startsWith('_INBOX.') ? '_INBOX' : subject.split('.', 3).join('.');
    if (this.denied.has(kind)) return;
    this.denied.add(kind);
    this.options.log.error(
      { error: natsFault(error) },
      'the user of NATS lacks a permission, without which pods do not work together: allow it to publish to the subject',
    );
  }

  private comeUp(parts: Omit<Up, 'signal'>): void {
    if (this.closing.signal.aborted) return;
    this.current?.gone.abort();
    const gone = new AbortController();
    const up = { ...parts, signal: gone.signal };
    this.current = { up, gone };
    const server = parts.connection.getServer();
    this.options.log.info({ server }, this.said === undefined ? 'connected to NATS' : 'NATS is back');
    this.said = undefined;
    for (const listener of this.listeners) listener(up);
  }

  /** Logs once for each reason. */
  private away(why: string): void {
    this.current?.gone.abort();
    this.current = undefined;
    if (this.closing.signal.aborted || this.said === why) return;
    this.said = why;
    this.options.log.error(
      { error: why },
      'NATS is away: events are kept in memory, within eventLog.maxBuffered, and sent on when it is back; other pods do not hear of them until then',
    );
  }
}
