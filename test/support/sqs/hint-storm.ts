import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Storm {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** The most requests on a connection before the server ends it. */
const requestsPerConnection = 500;
const tickMs = 10;

/**
 * Posts hints at a steady rate, pipelined over connections of its own, whether or not answers come, like independent
 * senders. Resolves with how many got a 202.
 */
export async function postHints({
  port,
  path,
  token,
  perSecond,
  seconds,
}: Storm): Promise<{ taken: number }> {
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\n\r\n`,
  );
  const total = perSecond * seconds;
  const startedMs = performance.now();
  const senders: Sender[] = [];
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) * perSecond) / 1000));
    for (; sent < due; sent += 1) {
      const last = senders.at(-1);
      const sender =
        last === undefined || last.sent === requestsPerConnection ? await Sender.open(port) : last;
      if (sender !== last) senders.push(sender);
      sender.send(request);
    }
    await sleep(tickMs);
  }
  const taken = await Promise.all(senders.map((sender) => sender.answered()));
  return { taken: taken.reduce((sum, count) => sum + count, 0) };
}

class Sender {
  sent = 0;
  private taken = 0;
  private answers = 0;
  private rest = '';
  private readonly socket: Socket;

  static async open(port: number): Promise<Sender> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Sender(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.count(text));
    socket.on('error', () => {});
  }

  send(request: Buffer): void {
    this.sent += 1;
    this.socket.write(request);
  }

  /** How many were accepted, once all are answered or the server has ended the connection. */
  async answered(): Promise<number> {
    while (this.answers < this.sent && !this.socket.closed) await sleep(tickMs);
    this.socket.destroy();
    return this.taken;
  }

  private count(text: string): void {
    const lines = (this.rest + text).split('\r\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, status] = /HTTP\/1\.1 (\d+)/.exec(line) ?? [];
      if (status !== undefined) this.answers += 1;
      if (status === '202') this.taken += 1;
    }
  }
}
