import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const apiKeys = { metadata: 3, findCoordinator: 10, apiVersions: 18 } as const;

/** The newest version of each request that Kafka 2.8 takes, of those a reader may send. */
const kafka28: ReadonlyMap<number, number> = new Map([
  [1, 12], // Fetch
  [2, 6], // ListOffsets
  [apiKeys.metadata, 11],
  [9, 7], // OffsetFetch
  [apiKeys.findCoordinator, 3],
  [15, 5], // DescribeGroups
  [17, 1], // SaslHandshake
  [apiKeys.apiVersions, 3],
  [36, 2], // SaslAuthenticate
]);

/**
 * A TCP proxy that makes one broker look as old as Kafka 2.8: it caps the versions that the broker says it
 * takes, closes a connection that asks for more, as such a broker would, and puts itself in the place of the
 * broker's address. It understands ApiVersions up to v2, Metadata v6 and FindCoordinator v2.
 */
export class CappingProxy {
  /** Every request that came through, as `9 v4`. */
  readonly requests: string[] = [];
  /** Those that such a broker does not take. */
  readonly tooNew: string[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private port = 0;

  static async to(brokerPort: number): Promise<CappingProxy> {
    const proxy = new CappingProxy(brokerPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    const address = proxy.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    proxy.port = address.port;
    return proxy;
  }

  private constructor(brokerPort: number) {
    this.server = createServer((near) => this.join(near, connect(brokerPort, '127.0.0.1')));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private join(near: Socket, far: Socket): void {
    /** What each answer that is to come answers, by correlation id. */
    const asked = new Map<number, number>();
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
        asked.set(frame.readInt32BE(8), apiKey);
        const request = `${apiKey} v${version}`;
        this.requests.push(request);
        if (version <= (kafka28.get(apiKey) ?? -1)) far.write(frame);
        else {
          this.tooNew.push(request);
          near.destroy();
        }
      }),
    );
    far.on(
      'data',
      frames((frame) => {
        const correlation = frame.readInt32BE(4);
        const apiKey = asked.get(correlation);
        asked.delete(correlation);
        if (apiKey === apiKeys.apiVersions) capVersions(frame);
        if (apiKey === apiKeys.metadata) this.advertise(frame, brokersOfMetadata(frame));
        if (apiKey === apiKeys.findCoordinator) this.advertise(frame, [coordinatorAt(frame)]);
        near.write(frame);
      }),
    );
  }

  /** The host stays, 127.0.0.1; the port has four bytes whatever it is. */
  private advertise(frame: Buffer, hostsAt: readonly number[]): void {
    for (const at of hostsAt) frame.writeInt32BE(this.port, afterString(frame, at));
  }
}

/** Calls `take` with each whole frame, its length in front. */
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

/** Where an answer's body begins: after its length and correlation id. */
const bodyAt = 8;

function afterString(frame: Buffer, at: number): number {
  return at + 2 + Math.max(0, frame.readInt16BE(at));
}

/** ApiVersions v0 to v2: an error, then an array of key, least, most. */
function capVersions(frame: Buffer): void {
  const count = frame.readInt32BE(bodyAt + 2);
  for (let index = 0, at = bodyAt + 6; index < count; index += 1, at += 6) {
    const newest = kafka28.get(frame.readInt16BE(at));
    if (newest !== undefined) frame.writeInt16BE(Math.min(newest, frame.readInt16BE(at + 4)), at + 4);
  }
}

/** Metadata v6: a throttle time, then an array of node id, host, port, rack. Gives where the hosts are. */
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

/** FindCoordinator v2: a throttle time, an error, its text, a node id, host, port. */
function coordinatorAt(frame: Buffer): number {
  return afterString(frame, bodyAt + 6) + 4;
}
