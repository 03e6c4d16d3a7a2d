import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const apiKeys = { metadata: 3, findCoordinator: 10, apiVersions: 18 } as const;

type Range = readonly [least: number, newest: number];

/** The versions that a kind of broker takes, of the requests that a reader may send. */
export interface BrokerKind {
  readonly fetch: Range;
  readonly listOffsets: Range;
  readonly metadata: Range;
  readonly offsetFetch: Range;
  readonly findCoordinator: Range;
  readonly apiVersions: Range;
  /** The versions in its error for an ApiVersions request of a version that it does not take. */
  readonly refusalLists: 'everything' | 'ApiVersions' | 'nothing';
}

/**
 * Azure Event Hubs as logged by Kafka's own client in 2019 (Azure/azure-event-hubs-for-kafka, issue 69), and by klife in
 * 2024 (oliveigah/klife, issue 13). Redpanda as its handlers declare it (redpanda-data/redpanda,
 * `src/v/kafka/server/handlers`). Kafka as its releases do (`clients/src/main/resources/common/message`).
 */
export const brokerKinds = {
  'Azure Event Hubs, 2019': {
    fetch: [4, 6],
    listOffsets: [0, 2],
    metadata: [0, 5],
    offsetFetch: [0, 3],
    findCoordinator: [0, 1],
    apiVersions: [0, 1],
    refusalLists: 'everything',
  },
  'Azure Event Hubs, 2024': {
    fetch: [4, 6],
    listOffsets: [0, 8],
    metadata: [0, 5],
    offsetFetch: [0, 8],
    findCoordinator: [0, 4],
    apiVersions: [0, 3],
    refusalLists: 'everything',
  },
  Redpanda: {
    fetch: [4, 11],
    listOffsets: [0, 3],
    metadata: [0, 8],
    offsetFetch: [1, 7],
    findCoordinator: [0, 2],
    apiVersions: [0, 3],
    refusalLists: 'ApiVersions',
  },
  'Kafka 0.11': {
    fetch: [0, 5],
    listOffsets: [0, 2],
    metadata: [0, 4],
    offsetFetch: [0, 3],
    findCoordinator: [0, 1],
    apiVersions: [0, 1],
    refusalLists: 'nothing',
  },
  'Kafka 2.3': {
    fetch: [0, 11],
    listOffsets: [0, 5],
    metadata: [0, 8],
    offsetFetch: [0, 5],
    findCoordinator: [0, 2],
    apiVersions: [0, 2],
    refusalLists: 'nothing',
  },
  'Kafka 2.8': {
    fetch: [0, 12],
    listOffsets: [0, 6],
    metadata: [0, 11],
    offsetFetch: [0, 7],
    findCoordinator: [0, 3],
    apiVersions: [0, 3],
    refusalLists: 'ApiVersions',
  },
  'Kafka 3.5': {
    fetch: [0, 15],
    listOffsets: [0, 8],
    metadata: [0, 12],
    offsetFetch: [0, 8],
    findCoordinator: [0, 4],
    apiVersions: [0, 3],
    refusalLists: 'ApiVersions',
  },
  'Kafka 4.0': {
    fetch: [4, 17],
    listOffsets: [1, 10],
    metadata: [0, 13],
    offsetFetch: [1, 9],
    findCoordinator: [0, 6],
    apiVersions: [0, 4],
    refusalLists: 'ApiVersions',
  },
} as const satisfies Readonly<Record<string, BrokerKind>>;

function rangesOf(kind: BrokerKind): ReadonlyMap<number, Range> {
  return new Map<number, Range>([
    [1, kind.fetch],
    [2, kind.listOffsets],
    [apiKeys.metadata, kind.metadata],
    [9, kind.offsetFetch],
    [apiKeys.findCoordinator, kind.findCoordinator],
    [17, [0, 1]], // SaslHandshake
    [apiKeys.apiVersions, kind.apiVersions],
    [36, [0, 1]], // SaslAuthenticate
  ]);
}

/**
 * A TCP proxy that makes a broker look like one of another kind. It reports that kind's versions, closes a connection
 * that uses another version, and replaces the broker's address by its own. It understands ApiVersions up to v2, Metadata
 * v4 to v6, and FindCoordinator v1, v2 and v4.
 */
export class CappingProxy {
  /** Every request that passed, such as `9 v4`. */
  readonly requests: string[] = [];
  /** Those that such a broker does not take. */
  readonly notTaken: string[] = [];
  connections = 0;
  private readonly kind: BrokerKind;
  private readonly ranges: ReadonlyMap<number, Range>;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private port = 0;

  static async to(brokerPort: number, kind: BrokerKind): Promise<CappingProxy> {
    const proxy = new CappingProxy(brokerPort, kind);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    const address = proxy.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    proxy.port = address.port;
    return proxy;
  }

  private constructor(brokerPort: number, kind: BrokerKind) {
    this.kind = kind;
    this.ranges = rangesOf(kind);
    this.server = createServer((near) => this.join(near, connect(brokerPort, '127.0.0.1')));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Silently kills the connections that are open now: nothing passes any longer. New connections work. */
  freeze(): void {
    for (const socket of this.sockets) {
      socket.pause();
      socket.removeAllListeners('data');
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private join(near: Socket, far: Socket): void {
    this.connections += 1;
    /** The request of each outstanding answer, by correlation ID. */
    const asked = new Map<number, readonly [apiKey: number, version: number]>();
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    near.on(
      'data',
      frames((frame) => {
        const [apiKey, version] = [frame.readInt16BE(4), frame.readInt16BE(6)];
        const request = `${apiKey} v${version}`;
        this.requests.push(request);
        if (apiKey === apiKeys.apiVersions) {
          near.write(this.versionsTaken(frame.readInt32BE(8), version));
          return;
        }
        asked.set(frame.readInt32BE(8), [apiKey, version]);
        const [least, newest] = this.ranges.get(apiKey) ?? [0, -1];
        if (version >= least && version <= newest) far.write(frame);
        else {
          this.notTaken.push(request);
          near.destroy();
        }
      }),
    );
    far.on(
      'data',
      frames((frame) => {
        const correlation = frame.readInt32BE(4);
        const [apiKey, version] = asked.get(correlation) ?? [];
        asked.delete(correlation);
        if (apiKey === apiKeys.metadata) this.advertise(frame, brokersOfMetadata(frame));
        if (apiKey === apiKeys.findCoordinator) {
          const ports = version === 4 ? coordinatorPorts(frame) : [afterString(frame, coordinatorAt(frame))];
          for (const at of ports) frame.writeInt32BE(this.port, at);
        }
        near.write(frame);
      }),
    );
  }

  /** The answer to ApiVersions up to version 2. For a version that is not taken it has version 0. */
  private versionsTaken(correlation: number, version: number): Buffer {
    const isTaken = version <= this.kind.apiVersions[1];
    const lists = isTaken ? 'everything' : this.kind.refusalLists;
    const listed = [...this.ranges].filter(
      ([key]) => lists === 'everything' || (lists === 'ApiVersions' && key === apiKeys.apiVersions),
    );
    const bytes = Buffer.alloc(14 + listed.length * 6 + (isTaken && version > 0 ? 4 : 0));
    bytes.writeInt32BE(bytes.length - 4, 0);
    bytes.writeInt32BE(correlation, 4);
    bytes.writeInt16BE(isTaken ? 0 : unsupportedVersion, 8);
    bytes.writeInt32BE(listed.length, 10);
    for (const [index, [key, [least, newest]]] of listed.entries()) {
      bytes.writeInt16BE(key, 14 + index * 6);
      bytes.writeInt16BE(least, 16 + index * 6);
      bytes.writeInt16BE(newest, 18 + index * 6);
    }
    return bytes;
  }

  /** The host stays 127.0.0.1. A port always has four bytes. */
  private advertise(frame: Buffer, hostsAt: readonly number[]): void {
    for (const at of hostsAt) frame.writeInt32BE(this.port, afterString(frame, at));
  }
}

const unsupportedVersion = 35;

/** Calls `take` with each whole frame, its length included. */
function frames(take: (frame: Buffer) => void): (chunk: Buffer) => void {
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const end = 4 + held.readInt32BE(0);
      take(Buffer.from(held.subarray(0, end)));
      held = held.subarray(end);
    }
  };
}

/** Where the body of an answer begins: after its length and correlation ID. */
const bodyAt = 8;

function afterString(frame: Buffer, at: number): number {
  return at + 2 + Math.max(0, frame.readInt16BE(at));
}

/** Metadata v4 to v6: a throttle time, then an array of node ID, host, port, rack. Returns where the hosts are. */
function brokersOfMetadata(frame: Buffer): number[] {
  const hosts: number[] = [];
  const count = frame.readInt32BE(bodyAt + 4);
  for (let index = 0, at = bodyAt + 8; index < count; index += 1) {
    hosts.push(at + 4);
    const rackAt = afterString(frame, at + 4) + 4;
    at = afterString(frame, rackAt);
  }
  return hosts;
}

/** FindCoordinator v1 and v2: a throttle time, an error, its text, a node ID, host, port. */
function coordinatorAt(frame: Buffer): number {
  return afterString(frame, bodyAt + 6) + 4;
}

/**
 * FindCoordinator v4: tags of the header, a throttle time, then a compact array of group, node ID, host, port, error,
 * its text, tags. Nothing here is longer than 126 bytes, so every length is one byte. Returns where the ports are.
 */
function coordinatorPorts(frame: Buffer): number[] {
  const ports: number[] = [];
  const text = (at: number): number => at + Math.max(1, frame.readUInt8(at));
  const count = frame.readUInt8(bodyAt + 5) - 1;
  for (let index = 0, at = bodyAt + 6; index < count; index += 1) {
    const port = text(text(at) + 4);
    ports.push(port);
    at = text(port + 6) + 1;
  }
  return ports;
}
