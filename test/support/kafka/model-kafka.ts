import { ScalerError } from '../../../src/errors.ts';
import type { Dialer, Wire } from '../../../src/sources/kafka/upstream/wire/wire.ts';
import { ModelReadWire } from './model-read-wire.ts';

export interface ModelPartition {
  /** Index of a broker, or -1. */
  leader: number;
  logStart: number;
  highWatermark: number;
  lastStableOffset: number;
}

export interface ModelGroup {
  coordinator: number;
  /** By topic, then partition. */
  commits: Map<string, Map<number, number>>;
}

/** DescribeGroups' answer about a group. With `newer` only ConsumerGroupDescribe knows it (KIP-848). */
export interface ModelMembers {
  readonly state: string;
  readonly members: number;
  readonly newer?: boolean;
}

export interface ModelRequest {
  readonly address: string;
  readonly apiName: string;
  /** The topics or groups it names, or `all`. */
  readonly names: readonly string[];
}

/**
 * A Kafka cluster behind the Dialer port, for reading only. It has real bytes, state that can change between reads, and
 * faults on demand. Brokers follow the rules: one that does not lead a partition or coordinate a group says so.
 */
export class ModelKafka implements Dialer {
  readonly addresses: readonly string[];
  readonly topics = new Map<string, ModelPartition[]>();
  readonly groups = new Map<string, ModelGroup>();
  /** A group that is missing here is `Dead`. */
  readonly members = new Map<string, ModelMembers>();
  /** Error codes of Metadata for topics. `groupErrors` are those of OffsetFetch and FindCoordinator for groups. */
  readonly topicErrors = new Map<string, number>();
  readonly groupErrors = new Map<string, number>();
  /** Error codes of ListOffsets for partitions, by `topic/partition`. */
  readonly partitionErrors = new Map<string, number>();
  /** Brokers that accept and never answer. Those in `refusing` do not accept. */
  readonly hanging = new Set<string>();
  readonly refusing = new Set<string>();
  /** How long every answer takes. 0 means the next turn of the event loop. */
  slowMs = 0;
  /** The newest version by API key, otherwise 99. */
  readonly newestVersions = new Map<number, number>();
  readonly asked: ModelRequest[] = [];
  readonly wires = new Set<Wire>();
  readonly frozen = new WeakSet<Wire>();
  readonly dialed: string[] = [];

  constructor(brokers: number) {
    this.addresses = Array.from({ length: brokers }, (_, node) => `b${node}:9092`);
  }

  /** A topic whose partitions are led by these brokers, in turn. */
  create(topic: string, { partitions = 1, leaders = [0], end = 0, logStart = 0 } = {}): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, (_, partition) => ({
        leader: leaders[partition % leaders.length] ?? -1,
        logStart,
        highWatermark: end,
        lastStableOffset: end,
      })),
    );
  }

  partition(topic: string, partition = 0): ModelPartition {
    const found = this.topics.get(topic)?.[partition];
    if (!found) throw new Error(`the model has no ${topic}/${partition}`);
    return found;
  }

  commit(group: string, topic: string, offset: number, { partition = 0, coordinator = 0 } = {}): void {
    const known = this.groups.get(group) ?? { coordinator, commits: new Map() };
    const offsets = known.commits.get(topic) ?? new Map<number, number>();
    this.groups.set(group, known);
    known.commits.set(topic, offsets.set(partition, offset));
  }

  /** How often an API was called since the last `forgetAsked`. */
  count(apiName: string, address?: string): number {
    return this.asked.filter((one) => one.apiName === apiName && (address ?? one.address) === one.address)
      .length;
  }

  forgetAsked(): void {
    this.asked.length = 0;
  }

  /** Silently kills the open sockets to a broker. New ones work. */
  freeze(address: string): void {
    for (const wire of this.wires) if (wire.address === address) this.frozen.add(wire);
  }

  /** Breaks every socket to a broker. */
  cut(address: string): void {
    for (const wire of [...this.wires]) if (wire.address === address) wire.close();
  }

  async dial(address: string): Promise<Wire> {
    this.dialed.push(address);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.refusing.has(address) || !this.addresses.includes(address)) {
      throw new ScalerError('unavailable', `broker ${address} refuses the connection`);
    }
    const wire = new ModelReadWire(address, this);
    this.wires.add(wire);
    return wire;
  }
}
