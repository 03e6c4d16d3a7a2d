import { ScalerError } from '../../../../errors.ts';
import type { IsolationLevel } from '../../rules/snapshot.ts';
import { errorName } from '../protocol/error-codes.ts';
import { type FetchAnswer, fetchApi } from '../protocol/fetch.ts';
import type { Dialer, Wire } from '../wire/wire.ts';
import { judge, type Verdict } from './faults.ts';
import { type FetchPlan, FetchSession, fetchRequest } from './fetch-session.ts';
import type { WatchSettings } from './settings.ts';
import type { PartitionHost, WatchedPartition } from './subject-watch.ts';

export interface ShardListener {
  /** The broker has gone on with a session it granted. */
  proven(host: PartitionHost): void;
  acknowledged(partition: WatchedPartition): void;
  /** Something other than `quiet`, told while the answer is read. The listener takes the partition out. */
  judged(partition: WatchedPartition, verdict: Exclude<Verdict, 'quiet'>, errorCode: number): void;
  /** The broker has no room for a session. The shard has ended. */
  notGranted(host: PartitionHost, partitions: readonly WatchedPartition[]): void;
  /** The broker takes no request with sessions. The shard has ended. */
  unable(host: PartitionHost, partitions: readonly WatchedPartition[]): void;
  /** Its socket was silent when a new one to the same broker was not. The shard goes on with that. */
  silent(host: PartitionHost): void;
  /** The socket is gone or never came. The shard has ended. */
  lost(host: PartitionHost, partitions: readonly WatchedPartition[], error: ScalerError): void;
}

export interface ShardDeps {
  readonly settings: WatchSettings;
  readonly listener: ShardListener;
  readonly isSpare: boolean;
  /** The next request is about to be made: what is added now is in it. */
  readonly onTurn: () => void;
  /** The shard takes no more partitions. Told before the listener hears why. */
  readonly onOver: () => void;
}

/** One session on a socket of its own: a broker serves one request at a time on a socket, and this one is held. */
export class Shard implements PartitionHost {
  readonly address: string;
  readonly isolationLevel: IsolationLevel;
  readonly isSpare: boolean;
  private readonly deps: ShardDeps;
  private readonly session = new FetchSession();
  private wire: Wire | undefined;
  private closed = false;
  private lastAnswerAtMs: number | undefined;
  private hasGoneOn = false;
  private isFresh = false;
  /** Until when the broker may hold the poll under way. */
  private heldUntilMs = 0;
  private lingerTimer: NodeJS.Timeout | undefined;
  private endLinger: (() => void) | undefined;
  /** Tries another connection at once. */
  private hedge: (() => void) | undefined;

  constructor(address: string, isolationLevel: IsolationLevel, deps: ShardDeps) {
    this.address = address;
    this.isolationLevel = isolationLevel;
    this.isSpare = deps.isSpare;
    this.deps = deps;
  }

  get answeredAtMs(): number | undefined {
    return this.lastAnswerAtMs;
  }

  get isProven(): boolean {
    return this.hasGoneOn;
  }

  /** Whether its socket has gone while nothing was under way on it. */
  get isGone(): boolean {
    return this.wire?.closed === true;
  }

  /** How many partitions it has, those it is taking over included. */
  get size(): number {
    return this.session.size;
  }

  /** How long an addition may have to wait for the present poll, in ms. 0 means that the next request goes out at once. */
  get busyMs(): number {
    return Math.max(0, this.heldUntilMs - performance.now());
  }

  /** The next request carries it. One that is under way cannot be called back: the broker holds the socket's answers. */
  add(partition: WatchedPartition): void {
    this.session.add(partition);
    this.stopLingering();
  }

  remove(partition: WatchedPartition): void {
    this.session.remove(partition);
  }

  /** Takes over up to `most` of what another session watches, from the same offsets. The other one has it until the broker has answered. */
  takeOver(from: Shard, most: number): void {
    let left = most;
    for (const partition of from.session.partitions()) {
      if (left <= 0) return;
      if (partition.phase !== 'acknowledged' || partition.isMoving) continue;
      left -= 1;
      partition.moveTo(this);
      this.session.add(partition);
    }
  }

  /** Runs until the shard ends. Never rejects. */
  async run(dialer: Dialer): Promise<void> {
    try {
      const wire = await dialer.dial(this.address);
      this.wire = wire;
      if (!wire.takes(fetchApi)) {
        this.end((partitions) => this.deps.listener.unable(this, partitions));
        return;
      }
      while (!this.closed) {
        if (this.session.size === 0) await this.linger();
        else this.deps.onTurn();
        // No await between this and the end: a partition added meanwhile would never be polled.
        if (this.session.size === 0) break;
        await this.poll(this.wire, dialer);
      }
      if (!this.closed) await this.retire(this.wire);
    } catch (reason) {
      const error = ScalerError.from(reason, 'unavailable');
      this.end((partitions) => this.deps.listener.lost(this, partitions, error));
    } finally {
      this.close();
    }
  }

  /** Another connection to its broker died silently: this one may have as well. */
  suspect(): void {
    if (this.session.size > 0) {
      this.hedge?.();
      return;
    }
    this.deps.onOver();
    this.close();
  }

  /** Destroys the socket; the listener hears nothing more. */
  close(): void {
    this.closed = true;
    this.stopLingering();
    this.wire?.close();
  }

  private end(tell: (partitions: readonly WatchedPartition[]) => void): void {
    if (this.closed) return;
    this.close();
    this.deps.onOver();
    tell(this.ownPartitions());
  }

  /** Those that no other session still has. */
  private ownPartitions(): WatchedPartition[] {
    const own: WatchedPartition[] = [];
    for (const partition of this.session.partitions()) {
      if (partition.host === this) own.push(partition);
      else partition.moveTo(undefined);
    }
    return own;
  }

  private async poll(wire: Wire, dialer: Dialer): Promise<void> {
    const plan = this.session.next();
    const maxWaitMs = this.waitMs(plan);
    this.heldUntilMs = performance.now() + maxWaitMs;
    const answer = await this.ask(plan, maxWaitMs, wire, dialer);
    this.heldUntilMs = 0;
    if (this.closed) return;
    if (answer === undefined) return this.restart();
    switch (this.session.accept(answer)) {
      case 'going on':
        return this.hear(plan, answer);
      case 'renewed':
        return this.renew();
      case 'throttled':
        // The wire sends nothing before the throttle ends.
        return;
      case 'notGranted':
        return this.end((partitions) => this.deps.listener.notGranted(this, partitions));
      case 'failed':
        throw new ScalerError('unavailable', `broker ${this.address}: Fetch: ${errorName(answer.errorCode)}`);
    }
  }

  /**
   * The answer to a poll. Where it does not come in time a new connection is tried. Undefined: that was there first, and
   * is the shard's from now on. Rejects when the socket is gone, or as silent as the broker for too long.
   */
  private ask(
    plan: FetchPlan,
    maxWaitMs: number,
    wire: Wire,
    dialer: Dialer,
  ): Promise<FetchAnswer | undefined> {
    const { graceMs, hedgeAfterMs } = this.deps.settings;
    const request = fetchRequest(plan, this.isolationLevel, maxWaitMs);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (): boolean => {
        if (isOver) return false;
        isOver = true;
        clearTimeout(timer);
        this.hedge = undefined;
        return true;
      };
      const takeOver = (fresh: Wire, wasSuspect: boolean): void => {
        if (this.closed || !end()) {
          fresh.close();
          return;
        }
        this.wire = fresh;
        wire.close();
        if (!wasSuspect) this.deps.listener.silent(this);
        resolve(undefined);
      };
      const hedge = (wasSuspect: boolean): void => {
        clearTimeout(timer);
        this.hedge = undefined;
        // Where there is no other connection either, the poll's own limit ends it.
        dialer.dial(this.address).then(
          (fresh) => takeOver(fresh, wasSuspect),
          () => undefined,
        );
      };
      const timer = setTimeout(() => hedge(false), maxWaitMs + hedgeAfterMs + wire.throttledMs);
      this.hedge = () => hedge(true);
      wire.send(request, maxWaitMs + graceMs).then(
        (answer) => {
          if (end()) resolve(answer);
        },
        (reason: unknown) => {
          if (end()) reject(reason);
        },
      );
    });
  }

  private restart(): void {
    this.session.restart();
    this.renew();
  }

  private renew(): void {
    for (const partition of this.session.partitions()) {
      if (partition.host === this && partition.phase === 'acknowledged') partition.phase = 'renewing';
    }
  }

  private hear({ sessionEpoch, add }: FetchPlan, { partitions }: FetchAnswer): void {
    this.lastAnswerAtMs = performance.now();
    const readCommitted = this.isolationLevel === 'readCommitted';
    for (const said of partitions) {
      // Wakes take partitions out, so it may be gone with one before it in this answer.
      const partition = this.session.asked(said.topic, said.partition);
      if (!partition) continue;
      const verdict = judge(said, partition.offset, readCommitted);
      if (verdict !== 'quiet') this.deps.listener.judged(partition, verdict, said.errorCode);
    }
    for (const partition of add) this.acknowledge(partition);
    if (sessionEpoch === 0 || this.hasGoneOn) return;
    this.hasGoneOn = true;
    this.deps.listener.proven(this);
  }

  /** After the verdicts, so that a subject refused in its first answer was never armed. */
  private acknowledge(partition: WatchedPartition): void {
    if (partition.acknowledge(this)) this.deps.listener.acknowledged(partition);
  }

  /** Additions are acknowledged at once, in a request that is not held. */
  private waitMs({ add }: FetchPlan): number {
    const { firstWaitMs, freshWaitMs, watchMaxWaitMs } = this.deps.settings;
    const isFresh = this.isFresh;
    this.isFresh = add.length > 0;
    if (this.isFresh) return 0;
    if (!this.hasGoneOn) return Math.min(firstWaitMs, watchMaxWaitMs);
    return isFresh ? Math.min(freshWaitMs, watchMaxWaitMs) : watchMaxWaitMs;
  }

  /** Waits for partitions. A socket without a poll costs the broker nothing, and dialling again is slow. */
  private async linger(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.endLinger = resolve;
      this.lingerTimer = setTimeout(resolve, this.deps.settings.lingerMs);
    });
  }

  private stopLingering(): void {
    clearTimeout(this.lingerTimer);
    this.endLinger?.();
    this.endLinger = undefined;
  }

  /** Gives the session back, so that it does not take one of the broker's slots until it is evicted. */
  private async retire(wire: Wire): Promise<void> {
    this.deps.onOver();
    const request = fetchRequest(this.session.last(), this.isolationLevel, 0);
    await wire.send(request, this.deps.settings.hedgeAfterMs).catch(() => undefined);
  }
}
