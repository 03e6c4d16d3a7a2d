import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Asked {
  /** The operation, without `AmazonSQS.`. For STS the `Action` of its form. */
  operation: string;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** How it answers: with this, never, by cutting the connection, or with a head and no end. */
export type Script = (asked: Asked) => Answer | 'hang' | 'reset' | 'endless';

/** The counts of a queue, as SQS spells them. */
export function countsAnswer(visible = 0, inFlight = 0, delayed = 0): Answer {
  return {
    body: {
      Attributes: {
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(delayed),
      },
    },
  };
}

/** An error in SQS's JSON protocol, with its code in the old protocol. */
export function errorAnswer(type: string, { status = 400, message = '', queryCode = '' } = {}): Answer {
  return {
    status,
    headers: queryCode === '' ? {} : { 'x-amzn-query-error': `${queryCode};Sender` },
    body: { __type: `com.amazonaws.sqs#${type}`, message },
  };
}

/** A server for the parts of SQS's JSON protocol (x-amz-json-1.0), and of STS's, that its script knows. */
export class ScriptedSqs {
  readonly asked: Asked[] = [];
  script: Script;
  /** Requests under way. `mostOpen` is the maximum so far. */
  open = 0;
  mostOpen = 0;
  delayMs = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  static async start(script: Script = () => countsAnswer()): Promise<ScriptedSqs> {
    const scripted = new ScriptedSqs(script);
    await new Promise<void>((resolve) => scripted.server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  private constructor(script: Script) {
    this.script = script;
    this.server = createServer((request, response) => void this.take(request, response));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  get connections(): number {
    return this.sockets.size;
  }

  /** How often each operation was called. */
  get operations(): Record<string, number> {
    const counted: Record<string, number> = {};
    for (const { operation } of this.asked) counted[operation] = (counted[operation] ?? 0) + 1;
    return counted;
  }

  /** Closes kept-alive connections, as a load balancer does. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.on('close', () => {
      this.open -= 1;
    });
    const asked = askedOf(request, await text(request).catch(() => ''));
    this.asked.push(asked);
    const answer = this.script(asked);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (answer === 'hang') return;
    if (answer === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (answer === 'endless') {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.write('{');
      return;
    }
    const { status = 200, headers = {}, body = {} } = answer;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}

function askedOf({ headers }: IncomingMessage, body: string): Asked {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') {
    return { operation: target.replace('AmazonSQS.', ''), body: JSON.parse(body), headers };
  }
  const form = Object.fromEntries(new URLSearchParams(body));
  return { operation: form['Action'] ?? '', body: form, headers };
}
