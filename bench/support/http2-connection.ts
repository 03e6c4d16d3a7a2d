import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as http2 from './http2-frames.ts';

/** The server's answers are small, so this grant is never used up. */
const grantedBytes = 2 ** 30;

/** Listens to one stream. */
export interface StreamListener {
  data(): void;
  /** `why` is undefined if the stream ended in order. */
  ended(why?: string): void;
}

/**
 * An HTTP/2 connection in plaintext. Its requests are bytes prepared before the measurement, so that a client costs far
 * less than the server it measures. Header blocks of answers are not decoded.
 */
export class Http2Connection {
  private readonly socket: Socket;
  private readonly streams = new Map<number, StreamListener>();
  private unread: Buffer = Buffer.alloc(0);
  private nextStream = 1;
  private sendWindowBytes = http2.initialWindowBytes;
  /** Requests that wait until the server has read earlier ones. */
  private readonly queued: (() => void)[] = [];
  private corked = false;

  static async open(host: string, port: number): Promise<Http2Connection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new Http2Connection(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.write(http2.preface);
    socket.write(http2.frame({ type: http2.frameType.settings, flags: 0, stream: 0 }));
    socket.write(http2.windowUpdate(grantedBytes));
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.fail('the connection is closed'));
  }

  /** Sends a request with a body of one message. */
  request(headerBlock: Buffer, body: Buffer, listener: StreamListener): void {
    if (this.sendWindowBytes < body.length) {
      this.queued.push(() => this.request(headerBlock, body, listener));
      return;
    }
    this.sendWindowBytes -= body.length;
    const stream = this.nextStream;
    this.nextStream += 2;
    this.streams.set(stream, listener);
    this.cork();
    const { headers, data } = http2.frameType;
    this.socket.write(http2.frame({ type: headers, flags: http2.flag.endHeaders, stream }, headerBlock));
    this.socket.write(http2.frame({ type: data, flags: http2.flag.endStream, stream }, body));
  }

  close(): void {
    this.streams.clear();
    this.socket.destroy();
  }

  /** Requests sent in one turn of the event loop go out in one write. */
  private cork(): void {
    if (this.corked) return;
    this.corked = true;
    this.socket.cork();
    setImmediate(() => {
      this.corked = false;
      this.socket.uncork();
    });
  }

  private read(chunk: Buffer): void {
    let bytes = this.unread.length === 0 ? chunk : Buffer.concat([this.unread, chunk]);
    while (bytes.length >= http2.frameHeadBytes) {
      const end = http2.frameHeadBytes + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const head = {
        type: bytes[3] ?? 0,
        flags: bytes[4] ?? 0,
        stream: bytes.readUInt32BE(5) & 0x7fffffff,
      };
      this.handle(head, bytes.subarray(http2.frameHeadBytes, end));
      bytes = bytes.subarray(end);
    }
    this.unread = bytes;
  }

  private handle({ type, flags, stream }: http2.FrameHead, payload: Buffer): void {
    const { data, headers, resetStream, settings, ping, goAway, windowUpdate } = http2.frameType;
    const isAck = (flags & http2.flag.ack) !== 0;
    if (type === data) this.streams.get(stream)?.data();
    if ((type === data || type === headers) && (flags & http2.flag.endStream) !== 0) this.end(stream);
    if (type === resetStream) this.end(stream, `reset with ${payload.readUInt32BE(0)}`);
    if (type === settings && !isAck) this.socket.write(http2.frame({ type, flags: http2.flag.ack, stream }));
    if (type === ping && !isAck) {
      this.socket.write(http2.frame({ type, flags: http2.flag.ack, stream }, payload));
    }
    if (type === goAway) this.fail('the server goes away');
    if (type === windowUpdate && stream === 0) this.grant(payload.readUInt32BE(0));
  }

  private grant(bytes: number): void {
    this.sendWindowBytes += bytes;
    for (const send of this.queued.splice(0)) send();
  }

  private end(stream: number, why?: string): void {
    const listener = this.streams.get(stream);
    this.streams.delete(stream);
    listener?.ended(why);
  }

  private fail(why: string): void {
    for (const stream of [...this.streams.keys()]) this.end(stream, why);
  }
}
