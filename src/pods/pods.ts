import { createHash, randomUUID } from 'node:crypto';
import type { KV } from '@nats-io/kv';
import { z } from 'zod';
import { natsFault } from '../outbound/nats.ts';
import type { PeerDuties, Peers } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { type SurgeNews, surgeNews } from '../triggers/other-pods.ts';
import { type LinkSettings, NatsLink, type Up } from './link.ts';
import { PodNews } from './news.ts';
import { PodPeers } from './peers.ts';

const told = z.object({
  connection: z.string(),
  subject: z.string().optional(),
  cause: z.enum(['sns', 'event', 'hint']),
});

/** A hint. Without a subject it means the whole connection. */
export type Told = z.output<typeof told>;

export interface PodsOptions {
  readonly settings: LinkSettings & { readonly stream: string; readonly replicas: number };
  /** Called with a hint from another pod. */
  readonly hinted: (told: Told) => void;
  /** Called with news of a surge from another pod. */
  readonly surging: (news: SurgeNews) => void;
  /** Called with whether this pod has the lease of a connection, and with undefined when the connection is gone. */
  readonly held: (connection: string, held: boolean | undefined) => void;
  /** Called when this pod gives up the lease of a connection, because it does not reach the upstream. */
  readonly gaveUp: (connection: string) => void;
  readonly log: Logger;
}

/** Leases are renewed all the time. An older one belongs to a connection that is gone. */
const forgottenAfterMs = 3_600_000;
/** A request for a lease fails after this time. A later answer would be useless. */
const leaseLimitMs = 1_000;

/**
 * What several pods of one scaler share through NATS. Exists only with `eventLog: { type: nats }`. The event log, hints,
 * news of surges and leases all use the one connection, `link`.
 */
export class Pods {
  readonly link: NatsLink;
  private readonly options: PodsOptions;
  readonly surges: PodNews<SurgeNews>;
  private readonly hints: PodNews<Told>;
  private leases: { readonly connection: Up['connection']; readonly bucket: KV } | undefined;
  private readonly holding = new Map<string, boolean>();
  private opening = false;
  private said: string | undefined;

  constructor(options: PodsOptions) {
    const { settings, hinted, surging, log } = options;
    this.options = options;
    const link = new NatsLink({ settings, log });
    this.link = link;
    this.hints = new PodNews({
      link,
      natsSubject: `${settings.stream}.hints`,
      schema: told,
      keyOf: ({ connection, subject }) => JSON.stringify([connection, subject]),
      take: hinted,
      log,
    });
    this.surges = new PodNews({
      link,
      natsSubject: `${settings.stream}.surges`,
      schema: surgeNews,
      keyOf: ({ kind, id }) => `${kind} ${id}`,
      take: surging,
      log,
    });
    this.link.onUp(() => this.needLeases());
  }

  open(): void {
    this.link.open();
  }

  /** Passes a hint on to the other pods. Returns whether it could. */
  hint(told: Told): boolean {
    return this.hints.tell(told);
  }

  /**
   * The other pods that have the same connection with the same `place`. While a new configuration is rolled out, a
   * connection may mean another place in some pods, and those are not peers.
   */
  peersOf(connection: string, place: string, duties: PeerDuties, log: Logger): Peers {
    const held = (has: boolean): void => {
      this.holding.set(connection, has);
      this.options.held(connection, has);
    };
    // A reload opens a second one beside the first, and may drop it. It reports nothing before it has the lease.
    if (!this.holding.has(connection)) held(false);
    const key = createHash('sha256')
      .update(JSON.stringify([connection, place]))
      .digest('hex')
      .slice(0, 32);
    const peers = new PodPeers({
      link: this.link,
      bucket: () => this.leases?.bucket,
      suspect: (bucket) => {
        if (this.leases?.bucket !== bucket) return;
        this.leases = undefined;
        this.needLeases();
      },
      subject: `${this.options.settings.stream}.peers.${key}`,
      key,
      id: randomUUID(),
      duties,
      log,
      held,
      gaveUp: () => this.options.gaveUp(connection),
    });
    this.needLeases();
    return peers;
  }

  /** Whether this pod has the lease of the connection. Undefined if the connection has no lease. */
  holds(connection: string): boolean | undefined {
    return this.holding.get(connection);
  }

  /** The connection is gone. */
  forget(connection: string): void {
    if (this.holding.delete(connection)) this.options.held(connection, undefined);
  }

  close(): Promise<void> {
    return this.link.close();
  }

  /** Once for each client: it keeps the bucket over breaks of its connection. */
  private async openLeases({ connection, signal }: Up): Promise<void> {
    if (this.leases?.connection === connection || this.opening) return;
    this.opening = true;
    const { settings, log } = this.options;
    const { stream, replicas, domain } = settings;
    const name = `${stream}-leases`;
    try {
      const [{ Kvm }, { jetstream }] = await Promise.all([
        import('@nats-io/kv'),
        import('@nats-io/jetstream'),
      ]);
      const client = jetstream(connection, {
        timeout: leaseLimitMs,
        ...(domain !== undefined && { domain }),
      });
      const bucket = await new Kvm(client).create(name, { ttl: forgottenAfterMs, replicas, history: 1 });
      this.leases = { connection, bucket };
      this.said = undefined;
    } catch (reason) {
      setTimeout(() => this.needLeases(), againMs).unref();
      if (signal.aborted) return;
      const error = natsFault(reason);
      if (this.said !== error)
        log.error(
          { bucket: name, error },
          'pods cannot agree which of them asks GitHub: it is not asked until they can',
        );
      this.said = error;
    } finally {
      this.opening = false;
    }
  }

  /** The bucket exists only if a connection has a lease. */
  private needLeases(): void {
    const { up } = this.link;
    if (up !== undefined && this.holding.size > 0) void this.openLeases(up);
  }
}

const againMs = 1_000;
