import { Decoder } from '../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../src/sources/kafka/upstream/protocol/encoder.ts';
import { errorCodes } from '../../../src/sources/kafka/upstream/protocol/error-codes.ts';
import type { ModelCluster } from './model-fetch-broker.ts';

const batchBytes = 70;

interface Position {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchAsked {
  readonly address: string;
  readonly maxWaitMs: number;
  readonly readCommitted: boolean;
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly positions: readonly Position[];
  readonly forgotten: readonly string[];
}

/** A partition in a session, and the last high watermark that the broker sent for it. */
interface Cached {
  position: Position;
  toldHighWatermark: number;
}

interface Session {
  readonly id: number;
  readonly wire: { readonly address: string; readonly closed: boolean };
  epoch: number;
  readonly cached: Map<string, Cached>;
}

interface Said {
  position: Position;
  errorCode: number;
  highWatermark: number;
  lastStableOffset: number;
  recordBytes: number;
}

/** KIP-227 as kafka.server.FetchManager and FetchSession implement it. */
export class FetchSessions {
  /** If false, every request is served without a session. */
  granting = true;
  /** This many of the next requests exceed the quota. Each is answered at once, only with this throttle. */
  throttled = { requests: 0, ms: 0 };
  private readonly cluster: ModelCluster;
  private readonly sessions = new Map<number, Session>();
  private lastId = 0;

  constructor(cluster: ModelCluster) {
    this.cluster = cluster;
  }

  evictAll(): void {
    this.sessions.clear();
  }

  get size(): number {
    return this.sessions.size;
  }

  /** `address topic/partition` of everything in the sessions of open sockets. */
  contents(): string[] {
    const live = [...this.sessions.values()].filter(({ wire }) => !wire.closed);
    return live
      .flatMap(({ wire, cached }) => [...cached.keys()].map((key) => `${wire.address} ${key}`))
      .sort();
  }

  async serve(bytes: Buffer, wire: Session['wire']): Promise<Buffer> {
    const asked = readRequest(bytes, wire.address);
    this.cluster.asked.push(asked);
    if (this.throttled.requests > 0 && asked.sessionEpoch <= 0) {
      this.throttled.requests -= 1;
      return writeAnswer(0, 0, [], this.throttled.ms);
    }
    const session = this.context(asked, wire);
    if (typeof session === 'number') return writeAnswer(session, 0, []);
    if (this.throttled.requests > 0) {
      this.throttled.requests -= 1;
      return writeAnswer(0, session.id, [], this.throttled.ms);
    }
    const cached = [...session.cached.values()];
    const isDone = (): boolean =>
      wire.closed || cached.length === 0 || this.say(cached, asked).some(cannotWait);
    await this.cluster.hold(isDone, asked.maxWaitMs);
    const isFull = asked.sessionEpoch <= 0;
    const said = this.say(cached, asked).filter((each) => isFull || hasNews(session, each));
    for (const { position, errorCode, highWatermark } of said) {
      const known = session.cached.get(position.key);
      if (known) known.toldHighWatermark = errorCode === 0 ? highWatermark : -1;
    }
    return writeAnswer(0, session.id, said);
  }

  /** The session of a request with its changes applied, or an error code. ID 0 means no session. */
  private context(asked: FetchAsked, wire: Session['wire']): Session | number {
    const { sessionId, sessionEpoch, positions, forgotten } = asked;
    if (sessionEpoch <= 0) {
      this.sessions.delete(sessionId);
      const isGranted = sessionEpoch === 0 && this.granting && positions.length > 0;
      const session: Session = { id: isGranted ? ++this.lastId : 0, wire, epoch: 1, cached: new Map() };
      for (const position of positions) session.cached.set(position.key, { position, toldHighWatermark: -1 });
      if (isGranted) this.sessions.set(session.id, session);
      return session;
    }
    const session = this.sessions.get(sessionId);
    if (!session) return errorCodes.FETCH_SESSION_ID_NOT_FOUND;
    if (session.epoch !== sessionEpoch) return errorCodes.INVALID_FETCH_SESSION_EPOCH;
    session.epoch += 1;
    for (const position of positions) {
      const known = session.cached.get(position.key);
      if (known) known.position = position;
      else session.cached.set(position.key, { position, toldHighWatermark: -1 });
    }
    // After the additions: a partition that is in both lists is removed.
    for (const key of forgotten) session.cached.delete(key);
    if (session.cached.size > 0) return session;
    this.sessions.delete(sessionId);
    return { ...session, id: 0 };
  }

  /** What a fetch of these partitions finds now. Only the first one with records gets any (KIP-74, maxBytes 1). */
  private say(cached: readonly Cached[], { address, readCommitted }: FetchAsked): Said[] {
    let isSpent = false;
    return cached.map(({ position }) => {
      const errorCode = this.errorOf(position, address);
      const log = this.cluster.logs.get(position.key);
      if (errorCode !== 0 || !log)
        return { position, errorCode, highWatermark: -1, lastStableOffset: -1, recordBytes: 0 };
      const { highWatermark, lastStableOffset } = log;
      const hasRecords = (readCommitted ? lastStableOffset : highWatermark) > position.offset;
      const recordBytes = hasRecords && !isSpent ? batchBytes : 0;
      isSpent ||= hasRecords;
      return { position, errorCode, highWatermark, lastStableOffset, recordBytes };
    });
  }

  private errorOf({ key, topic, offset }: Position, address: string): number {
    const log = this.cluster.logs.get(key);
    if (this.cluster.unreadable.has(topic)) return errorCodes.TOPIC_AUTHORIZATION_FAILED;
    const forced = this.cluster.partitionErrors.get(key);
    if (forced !== undefined) return forced;
    if (!log) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    if (log.leader !== address) return errorCodes.NOT_LEADER_OR_FOLLOWER;
    return offset > log.highWatermark ? errorCodes.OFFSET_OUT_OF_RANGE : 0;
  }
}

function cannotWait({ errorCode, recordBytes }: Said): boolean {
  return errorCode !== 0 || recordBytes > 0;
}

function hasNews({ cached }: Session, said: Said): boolean {
  return cannotWait(said) || said.highWatermark !== cached.get(said.position.key)?.toldHighWatermark;
}

function readRequest(bytes: Buffer, address: string): FetchAsked {
  const from = new Decoder(bytes);
  from.int32(); // replica id
  const maxWaitMs = from.int32();
  from.int32(); // minBytes
  from.int32(); // maxBytes
  const readCommitted = from.int8() === 1;
  const sessionId = from.int32();
  const sessionEpoch = from.int32();
  const positions = from.array(readPositions).flat();
  const forgotten = from.array(readForgotten).flat();
  return { address, maxWaitMs, readCommitted, sessionId, sessionEpoch, positions, forgotten };
}

function readPositions(from: Decoder): Position[] {
  const topic = from.string();
  return from.array((each) => {
    const partition = each.int32();
    each.int32(); // leader epoch
    const offset = each.int64();
    each.skip(12); // log start offset, max bytes
    return { key: `${topic}/${partition}`, topic, partition, offset };
  });
}

function readForgotten(from: Decoder): string[] {
  const topic = from.string();
  return from.array((each) => `${topic}/${each.int32()}`);
}

function writeAnswer(errorCode: number, sessionId: number, said: readonly Said[], throttleMs = 0): Buffer {
  const to = new Encoder().int32(throttleMs).int16(errorCode).int32(sessionId);
  to.array(said, (writer, { position, ...each }) => {
    writer.string(position.topic).array([position.partition], (inner, partition) => {
      inner.int32(partition).int16(each.errorCode).int64(each.highWatermark).int64(each.lastStableOffset);
      inner
        .int64(0)
        .array([], () => undefined)
        .int32(-1);
      inner.int32(each.recordBytes);
      for (let left = each.recordBytes; left > 0; left -= 1) inner.int8(0);
    });
  });
  return to.finish();
}
