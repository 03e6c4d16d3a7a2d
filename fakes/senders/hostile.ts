import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What hostile senders know: the ingest port, and values that an attacker can guess or has. */
export interface Target {
  readonly port: number;
  /** A connection of `events` and its token, of a tenant who means harm to the others. */
  readonly connection: string;
  readonly token: string;
  /** A topic that a connection lists. */
  readonly snsConnection: string;
  readonly snsTopic: string;
}

type Hostile = (attack: Attack) => Promise<void>;

const program = fileURLToPath(import.meta.url);
const mebibyte = 1024 * 1024;
const madeUp = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}`, 'x-github-event': 'workflow_job' };
const json = { 'content-type': 'application/json' };

/** Each continues until it is stopped. Each does what has kept other senders out, or could. */
export const hostileSenders = {
  /** Bodies with an invented signature that stop shortly before their end, again and again. */
  async 'stalled bodies'(attack) {
    const head = headOf('/ingest/github', { ...json, ...madeUp, 'content-length': 5 * mebibyte });
    await attack.holding(26, (socket) => socket.write(Buffer.concat([head, Buffer.alloc(4.9 * mebibyte)])));
  },
  /** As many connections as possible, kept open after a small request. */
  async 'idle connections'(attack) {
    await attack.holding(1200, (socket) =>
      socket.write('OPTIONS /ingest/events/x HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
  },
  /** Heads of requests that never end. */
  async 'slow heads'(attack) {
    await attack.holding(600, (socket) => socket.write('POST /ingest/github HTTP/1.1\r\nx-slow: '));
  },
  /** A thousand of the smallest requests in one piece, on one connection after the other. */
  async 'pipelined requests'(attack) {
    const small = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
    const last = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const piece = Buffer.from(small.repeat(999) + last);
    await attack.sending(8, () => [piece]);
  },
  /** Large bodies without a signature, or with a false one. */
  async 'large bodies'(attack) {
    const body = Buffer.alloc(4 * mebibyte, 'x');
    await attack.posting(2, () => ['/ingest/github', { ...json, ...madeUp }, body]);
  },
  /** Guessed tokens. */
  async 'guessed tokens'(attack) {
    await attack.posting(8, () => [
      `/ingest/hint/${attack.target.connection}`,
      { authorization: `Bearer ${randomBytes(16).toString('hex')}` },
      Buffer.alloc(0),
    ]);
  },
  /** Messages with addresses of certificates that do not exist. */
  async 'forged messages of SNS'(attack) {
    await attack.posting(8, () => {
      const message = forgedMessage(attack.target.snsTopic);
      return [snsPath(attack.target), snsHead(attack.target), Buffer.from(JSON.stringify(message))];
    });
  },
  /** JSON that is small as text and large in memory, six at a time, with a valid token. */
  async 'deep JSON with a token'(attack) {
    const authorization = `Bearer ${attack.target.token}`;
    const deep = [Buffer.alloc(4.9 * mebibyte, '['), Buffer.from(`[${'[],'.repeat(1_600_000)}1]`)];
    let sent = 0;
    await attack.posting(6, () => [
      `/ingest/events/${attack.target.connection}`,
      { authorization, 'content-type': 'application/cloudevents-batch+json' },
      deep[sent++ % deep.length] ?? Buffer.alloc(0),
    ]);
  },
  /** The same without a token, with a guessed topic. */
  async 'deep JSON without one'(attack) {
    const deep = Buffer.alloc(1.9 * mebibyte, '{"a":');
    await attack.posting(4, () => [snsPath(attack.target), snsHead(attack.target), deep]);
  },
  /** Work items without end, in one request after the other. */
  async 'a flood of events'(attack) {
    const authorization = `Bearer ${attack.target.token}`;
    let sent = 0;
    await attack.posting(1, () => {
      const events = Array.from({ length: 500 }, () => ({
        specversion: '1.0',
        id: String(sent++),
        source: '/flood',
        type: 'com.example.work.requested',
        subject: `flood-${sent}`,
      }));
      return [
        `/ingest/events/${attack.target.connection}`,
        { authorization, 'content-type': 'application/cloudevents-batch+json' },
        Buffer.from(JSON.stringify(events)),
      ];
    });
  },
} as const satisfies Readonly<Record<string, Hostile>>;

export type HostileName = keyof typeof hostileSenders;

function snsPath({ snsConnection }: Target): string {
  return `/ingest/sns/${snsConnection}`;
}

function snsHead({ snsTopic }: Target): Head {
  return {
    'content-type': 'text/plain',
    'x-amz-sns-message-type': 'Notification',
    'x-amz-sns-topic-arn': snsTopic,
  };
}

function forgedMessage(topic: string): object {
  const certificate = `SimpleNotificationService-${randomBytes(16).toString('hex')}.pem`;
  return {
    Type: 'Notification',
    MessageId: randomBytes(16).toString('hex'),
    TopicArn: topic,
    Message: 'forged',
    Timestamp: new Date().toISOString(),
    SignatureVersion: '2',
    Signature: randomBytes(256).toString('base64'),
    SigningCertURL: `https://sns.${topic.split(':')[3]}.amazonaws.com/${certificate}`,
  };
}

type Head = Readonly<Record<string, string | number>>;

function headOf(path: string, head: Head): Buffer {
  const lines = Object.entries({ host: 'x', ...head }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
}

/** An attack under way, from an address that no honest sender has. */
class Attack {
  readonly target: Target;
  /** How many connections were opened, or requests answered. */
  done = 0;
  private readonly signal: AbortSignal;

  constructor(target: Target, signal: AbortSignal) {
    this.target = target;
    this.signal = signal;
  }

  /** Holds this many connections open, and replaces each closed one. */
  async holding(count: number, open: (socket: Socket) => void): Promise<void> {
    await this.each(count, async () => {
      const socket = this.connect();
      socket.resume();
      open(socket);
      this.done += 1;
      await closed(socket, this.signal);
      // Otherwise some hundred new ones a second would open and close.
      await this.pause(500);
    });
  }

  /** Sends one request after the other, on this many connections at a time. */
  async posting(count: number, next: () => readonly [path: string, head: Head, body: Buffer]): Promise<void> {
    await this.sending(count, () => {
      const [path, head, body] = next();
      return [headOf(path, { ...head, 'content-length': body.length, connection: 'close' }), body];
    });
  }

  /** Sends something until the connection is closed, then opens the next, this many at a time. */
  async sending(count: number, next: () => readonly Buffer[]): Promise<void> {
    await this.each(count, async () => {
      const socket = this.connect();
      for (const part of next()) socket.write(part);
      socket.resume();
      await closed(socket, this.signal);
      this.done += 1;
      await this.pause(1);
    });
  }

  private async each(count: number, round: () => Promise<void>): Promise<void> {
    const lane = async (): Promise<void> => {
      while (!this.signal.aborted) await round();
    };
    await Promise.all(Array.from({ length: count }, lane));
  }

  private connect(): Socket {
    const from = process.platform === 'linux' ? { localAddress: '127.0.0.66' } : {};
    const socket = connect({ host: '127.0.0.1', port: this.target.port, ...from });
    // The connection is refused, or closed while it sends.
    return socket.on('error', () => {});
  }

  private async pause(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.signal }).catch(() => undefined);
  }
}

function closed(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const abort = (): void => void socket.destroy();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}

/**
 * Attacks from a process of its own. Attackers have machines of their own: this one's cores are the scaler's and the honest
 * sender's first. `inSpareTime`: on Linux they get only what nobody else wants (SCHED_IDLE), for what is measured.
 */
export function attack(
  names: readonly HostileName[],
  target: Target,
  { inSpareTime = false } = {},
): { stop(): Promise<Map<string, number>> } {
  const [execPath, ...execArgv] =
    inSpareTime && process.platform === 'linux'
      ? ['chrt', '--idle', '0', process.execPath]
      : [process.execPath];
  const attackers = fork(program, [JSON.stringify({ names, target })], { execPath, execArgv });
  return {
    /** Resolves with the count of each. */
    async stop() {
      const ended = once(attackers, 'exit').then(([code]) => {
        throw new Error(`the attackers ended with ${code}`);
      });
      const done = once(attackers, 'message');
      attackers.send('stop');
      const [counts] = await Promise.race([done, ended]);
      return new Map(Object.entries(counts));
    },
  };
}

if (process.argv[1] === program) {
  setPriority(19);
  const { names, target }: { names: HostileName[]; target: Target } = JSON.parse(process.argv[2] ?? '');
  const abort = new AbortController();
  const attacks = names.map((name) => [name, new Attack(target, abort.signal)] as const);
  const over = Promise.all(attacks.map(([name, one]) => hostileSenders[name](one)));
  process.once('message', async () => {
    abort.abort();
    await over;
    process.send?.(Object.fromEntries(attacks.map(([name, { done }]) => [name, done])));
    process.disconnect();
  });
  process.once('disconnect', () => process.exit());
}
