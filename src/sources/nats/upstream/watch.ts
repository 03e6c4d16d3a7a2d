import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../telemetry/log.ts';
import type { Wake, Watch } from '../../source.ts';
import { hasMoved, isSame, itemsOf, type NatsSnapshot, watchedSubjects } from '../rules/snapshot.ts';

/** Why a watch wakes its subject; each becomes a metric label. */
type WakeCause = 'message' | 'subjects changed' | 'watch lost';

/**
 * How long a message may still miss a subscription after its server has it. The other servers of the cluster, and leaf
 * nodes, learn of it one after the other.
 */
const settleMs = 1_000;
/** How much later than JetStream's answer the message itself may arrive. */
const lateMs = 250;
/** How long a consumer that hears nothing, or may not subscribe, is not watched again. */
const leftAloneMs = 600_000;
const mostRemembered = 10_000;
/** After so many wakes in a row without a new message, the watch hears messages that the stream does not take. */
const mostVain = 10;

export interface WatcherDeps {
  /** The connection. Undefined while it is lost. */
  readonly nats: () => NatsConnection | undefined;
  readonly log: Logger;
}

/** Listens on the subjects of consumers at rest. A subject has one subscription, for all. It ends with its first message. */
export class Watcher {
  private readonly deps: WatcherDeps;
  private readonly ears = new Map<string, Ear>();
  private readonly watches = new Map<string, SubjectWatch>();
  /** For each watch that a message ended: the snapshot it was armed from, until the read after the message. */
  private readonly heard = new LRUCache<string, NatsSnapshot>({ max: mostRemembered, ttl: leftAloneMs });
  private readonly vain = new LRUCache<string, number>({ max: mostRemembered, ttl: leftAloneMs });
  private readonly deaf = new LRUCache<string, true>({ max: mostRemembered, ttl: leftAloneMs });
  private readonly denied = new LRUCache<string, true>({ max: mostRemembered, ttl: leftAloneMs });
  private hasSaidDenied = false;

  constructor(deps: WatcherDeps) {
    this.deps = deps;
  }

  /** Watches from the end of the snapshot. `look` finds what came since. `refused` at once if nothing could be heard. */
  arm(key: string, from: NatsSnapshot, look: () => Promise<NatsSnapshot>, wake: Wake): Watch {
    const nats = this.deps.nats();
    const subjects = watchedSubjects(from);
    if (nats === undefined || typeof subjects === 'string' || this.deaf.has(key)) return refused;
    if (subjects.some((subject) => this.denied.has(subject))) return refused;
    const watch: SubjectWatch = new SubjectWatch(from, subjects, {
      wake,
      onOver: () => {
        if (this.watches.get(key) === watch) this.watches.delete(key);
        for (const subject of subjects) this.leave(subject, watch);
      },
      onHeard: () => this.heard.set(key, watch.from),
    });
    this.watches.set(key, watch);
    try {
      for (const subject of subjects) this.join(nats, subject, watch);
    } catch {
      // The client refuses while it is closing.
      watch.close();
    }
    void confirm(nats, watch, look);
    return watch;
  }

  /** Takes the snapshot from which the watch was armed that has just heard a message. Undefined if none has. */
  takeHeard(key: string): NatsSnapshot | undefined {
    const from = this.heard.get(key);
    this.heard.delete(key);
    return from;
  }

  /** Called with whether the read after a message found a change. */
  heardFor(key: string, hasMoved: boolean): void {
    const vain = hasMoved ? 0 : (this.vain.get(key) ?? 0) + 1;
    if (vain >= mostVain) this.deaf.set(key, true);
    if (vain === 0 || vain >= mostVain) this.vain.delete(key);
    else this.vain.set(key, vain);
  }

  /**
   * Compares the result of a read with the watch. It arms a watch whose subscriptions have existed long enough. It ends one
   * that listens on old subjects, or missed a message.
   */
  async seen(key: string, beganAtMs: number, snapshot: NatsSnapshot): Promise<void> {
    const watch = this.watches.get(key);
    if (watch === undefined) return;
    if (String(watchedSubjects(snapshot)) !== String(watch.subjects)) {
      watch.fire('subjects changed');
      return;
    }
    const isMore = isSame(watch.from, snapshot) && itemsOf(snapshot) > itemsOf(watch.from);
    if (watch.state === 'armed' && isMore && !(await watch.hearsWithin(lateMs))) {
      this.deaf.set(key, true);
      this.deps.log.warn(
        { stream: snapshot.stream.name, consumer: snapshot.consumer.name },
        'messages come that are not heard on its subjects: the consumer is read at its pace instead of watched',
      );
      watch.refuse();
    }
    watch.from = snapshot;
    if (watch.stoodAtMs !== undefined && beganAtMs >= watch.stoodAtMs + settleMs) watch.arm();
  }

  /** The connection is gone, and all subscriptions with it. */
  lost(): void {
    for (const ear of this.ears.values()) ear.subscription.unsubscribe();
    this.ears.clear();
    for (const watch of [...this.watches.values()]) watch.lose();
  }

  private join(nats: NatsConnection, subject: string, watch: SubjectWatch): void {
    let ear = this.ears.get(subject);
    if (ear === undefined) {
      const made: Ear = {
        watches: new Set(),
        subscription: nats.subscribe(subject, {
          max: 1,
          callback: (error) => this.ends(subject, made, error),
        }),
      };
      ear = made;
      this.ears.set(subject, ear);
    }
    ear.watches.add(watch);
  }

  private leave(subject: string, watch: SubjectWatch): void {
    const ear = this.ears.get(subject);
    if (!ear?.watches.delete(watch) || ear.watches.size > 0) return;
    this.ears.delete(subject);
    ear.subscription.unsubscribe();
  }

  /** A subscription ends with its message, or because we may not listen. */
  private ends(subject: string, ear: Ear, error: Error | null): void {
    if (this.ears.get(subject) !== ear) return;
    this.ears.delete(subject);
    if (error === null) {
      for (const watch of [...ear.watches]) watch.hear();
      return;
    }
    ear.subscription.unsubscribe();
    this.denied.set(subject, true);
    if (!this.hasSaidDenied) {
      this.hasSaidDenied = true;
      this.deps.log.warn(
        { subject },
        'subscribing is not allowed: consumers of such subjects are read at their pace instead of watched; allow it to the user of the connection',
      );
    }
    for (const watch of [...ear.watches]) watch.refuse();
  }
}

/** A subscription and the watches that share it. */
interface Ear {
  readonly subscription: Subscription;
  readonly watches: Set<SubjectWatch>;
}

const refused: Watch = { state: 'refused', confirmedAtMs: undefined, close() {} };

/** Looks once more when the server has the subscription: a message may have come between the snapshot and then. */
async function confirm(
  nats: NatsConnection,
  watch: SubjectWatch,
  look: () => Promise<NatsSnapshot>,
): Promise<void> {
  const { from } = watch;
  try {
    await nats.flush();
    const stoodAtMs = performance.now();
    if (watch.state === 'refused') return;
    if (hasMoved(from, await look())) watch.fire('message');
    else watch.stoodAtMs = stoodAtMs;
  } catch {
    // The next read will say why.
    watch.refuse();
  }
}

interface WatchDeps {
  readonly wake: Wake;
  readonly onOver: () => void;
  readonly onHeard: () => void;
}

/** The watch of a consumer. It ends when it wakes its subject. */
class SubjectWatch implements Watch {
  /** The last known snapshot. */
  from: NatsSnapshot;
  readonly subjects: readonly string[];
  /** Since when the server has its subscriptions, with nothing missed before. Undefined until then. */
  stoodAtMs: number | undefined;
  /** Silence of a subscription proves nothing, so only reads confirm. */
  readonly confirmedAtMs = undefined;
  private readonly deps: WatchDeps;
  private current: 'arming' | 'armed' | 'over' = 'arming';
  private hasHeard = false;

  constructor(from: NatsSnapshot, subjects: readonly string[], deps: WatchDeps) {
    this.from = from;
    this.subjects = subjects;
    this.deps = deps;
  }

  get state(): Watch['state'] {
    return this.current === 'over' ? 'refused' : this.current;
  }

  arm(): void {
    if (this.current === 'arming') this.current = 'armed';
  }

  close(): void {
    if (this.current === 'over') return;
    this.current = 'over';
    this.deps.onOver();
  }

  hear(): void {
    this.hasHeard = true;
    if (this.current === 'over') return;
    this.deps.onHeard();
    this.fire('message');
  }

  /** Ends the watch, then wakes the subject: the wake may arm another. */
  fire(cause: WakeCause): void {
    if (this.current === 'over') return;
    this.close();
    this.deps.wake(cause);
  }

  /** The watch hears nothing more. If it was armed, its subject is read rarely, so it is woken. */
  lose(): void {
    if (this.current === 'armed') this.fire('watch lost');
    else this.close();
  }

  /** As `lose`, but during a read, which serves as the wake. */
  refuse(): void {
    this.close();
  }

  async hearsWithin(ms: number): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.hasHeard || this.current === 'over';
  }
}
