import { ScalerError } from '../../../src/errors.ts';
import {
  highestCommon,
  type KafkaAnswer,
  type KafkaRequest,
  type Spoken,
} from '../../../src/sources/kafka/upstream/protocol/api.ts';
import { Decoder } from '../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../src/sources/kafka/upstream/protocol/encoder.ts';
import type { Dialer, Wire } from '../../../src/sources/kafka/upstream/wire/wire.ts';
import { type FetchAsked, FetchSessions } from './model-fetch-sessions.ts';

const latencyMs = 1;

interface Log {
  leader: string;
  highWatermark: number;
  lastStableOffset: number;
}

/**
 * A Kafka cluster behind the Dialer port that only knows Fetch. It has real bytes, real KIP-227 sessions, one request at
 * a time on a wire, and polls that wait for an append. Its clock is setTimeout, so fake timers drive it.
 */
export class ModelCluster implements Dialer {
  readonly logs = new Map<string, Log>();
  readonly unreadable = new Set<string>();
  readonly unreachable = new Set<string>();
  /** Returned instead of anything else, until removed. */
  readonly partitionErrors = new Map<string, number>();
  /** All requests so far, oldest first. */
  readonly asked: FetchAsked[] = [];
  readonly forgotten: string[] = [];
  readonly sessions = new FetchSessions(this);
  private readonly wires = new Set<ModelWire>();
  private readonly held = new Set<() => void>();
  /** The newest version of Fetch that its brokers take. The model answers in 11. */
  newestFetch = 17;
  dials = 0;

  get openWires(): number {
    return this.wires.size;
  }

  create(topic: string, leader: string, partitions = 1): void {
    for (let partition = 0; partition < partitions; partition += 1) {
      this.logs.set(`${topic}/${partition}`, { leader, highWatermark: 0, lastStableOffset: 0 });
    }
    this.stir();
  }

  delete(topic: string): void {
    for (const key of [...this.logs.keys()]) if (key.startsWith(`${topic}/`)) this.logs.delete(key);
    this.stir();
  }

  end(topic: string, partition = 0): number {
    return this.logs.get(`${topic}/${partition}`)?.highWatermark ?? 0;
  }

  append(topic: string, partition = 0, count = 1): void {
    this.appendOpen(topic, partition, count);
    const log = this.log(topic, partition);
    log.lastStableOffset = log.highWatermark;
    this.stir();
  }

  /** Appends in a transaction that stays open. */
  appendOpen(topic: string, partition = 0, count = 1): void {
    this.log(topic, partition).highWatermark += count;
    this.stir();
  }

  move(topic: string, leader: string, partition = 0): void {
    this.log(topic, partition).leader = leader;
    this.stir();
  }

  /** Silently kills the open sockets to a broker. New ones work. */
  freeze(address: string): void {
    for (const wire of this.wires) if (wire.address === address) wire.frozen = true;
  }

  /** Breaks every socket to a broker. */
  cut(address: string): void {
    for (const wire of [...this.wires]) if (wire.address === address) wire.close();
  }

  async dial(address: string): Promise<Wire> {
    this.dials += 1;
    await sleep(latencyMs);
    if (this.unreachable.has(address))
      throw new ScalerError('unavailable', `${address} refused the connection`);
    const wire = new ModelWire(address, this, () => this.wires.delete(wire));
    this.wires.add(wire);
    return wire;
  }

  locate(topic: string, partition: number): string | undefined {
    return this.logs.get(`${topic}/${partition}`)?.leader;
  }

  forget(topic: string): void {
    this.forgotten.push(topic);
  }

  /** Checks the waiting polls again. */
  stir(): void {
    for (const look of [...this.held]) look();
  }

  /** Resolves once `isDone`, at the latest after `maxWaitMs`. Checked after every change. */
  hold(isDone: () => boolean, maxWaitMs: number): Promise<void> {
    if (isDone() || maxWaitMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.held.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isDone()) end();
      };
      const timer = setTimeout(end, maxWaitMs);
      this.held.add(look);
    });
  }

  private log(topic: string, partition: number): Log {
    const log = this.logs.get(`${topic}/${partition}`);
    if (!log) throw new Error(`the model has no ${topic}/${partition}`);
    return log;
  }
}

class ModelWire implements Wire {
  readonly address: string;
  closed = false;
  frozen = false;
  private readonly cluster: ModelCluster;
  private readonly onClose: () => void;
  private readonly rejects = new Set<(reason: ScalerError) => void>();
  private turn: Promise<unknown> = Promise.resolve();
  private throttledUntilMs = 0;

  constructor(address: string, cluster: ModelCluster, onClose: () => void) {
    this.address = address;
    this.cluster = cluster;
    this.onClose = onClose;
  }

  get throttledMs(): number {
    return Math.max(0, this.throttledUntilMs - performance.now());
  }

  takes(api: Spoken): boolean {
    return highestCommon(api, { min: 4, max: this.cluster.newestFetch }) !== undefined;
  }

  send<T extends KafkaAnswer>(request: KafkaRequest<T>, timeoutMs: number): Promise<T> {
    const versioned = request.at(highestCommon(request, { min: 4, max: 11 }) ?? 11);
    const to = new Encoder();
    versioned.write(to);
    const bytes = to.finish();
    const answer = this.turn.then(() => this.serve(bytes));
    this.turn = answer.catch(() => undefined);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.close(), timeoutMs + this.throttledMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.rejects.delete(fail);
      };
      const fail = (reason: ScalerError): void => {
        settle();
        reject(reason);
      };
      this.rejects.add(fail);
      if (this.closed) fail(lost(this.address));
      answer.then((raw) => {
        if (this.frozen) return;
        settle();
        if (this.closed) return;
        const read = versioned.read(new Decoder(raw));
        this.throttledUntilMs = performance.now() + read.throttleTimeMs;
        resolve(read);
      }, reject);
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onClose();
    for (const reject of [...this.rejects]) reject(lost(this.address));
    this.cluster.stir();
  }

  private async serve(bytes: Buffer): Promise<Buffer> {
    await sleep(latencyMs + this.throttledMs);
    if (this.frozen) await new Promise(() => {});
    const answer = await this.cluster.sessions.serve(bytes, this);
    await sleep(latencyMs);
    return answer;
  }
}

function lost(address: string): ScalerError {
  return new ScalerError('unavailable', `the socket to ${address} is closed`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
