import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { CloudEvent, type CloudEventV1 } from 'cloudevents';
import { z } from 'zod';
import type { DecisionData } from '../../src/decisions/cloudevents.ts';

type Event = CloudEventV1<DecisionData>;
/** Answers a request, or never does. */
type Behaviour = (response: ServerResponse) => void;

export interface Received {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly Event[];
  readonly atMs: number;
}

const attributes = z.looseObject({ id: z.string(), source: z.string(), type: z.string() });

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  (response) => {
    response.writeHead(code, headers).end();
  };

/** A receiver of CloudEvents. It keeps the requests, and answers as told. */
export class DecisionSink {
  readonly requests: Received[] = [];
  /** One for each request. The last one is repeated. */
  behave: Behaviour[] = [status(202)];
  underWay = 0;
  mostUnderWay = 0;
  private readonly server: Server;

  static async start(port = 0): Promise<DecisionSink> {
    const sink = new DecisionSink();
    sink.server.listen(port, '127.0.0.1');
    await once(sink.server, 'listening');
    return sink;
  }

  private constructor() {
    this.server = createServer((request, response) => {
      this.underWay += 1;
      this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
      response.once('close', () => {
        this.underWay -= 1;
      });
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url, headers } = request;
        const events = eventsOf(Buffer.concat(chunks).toString());
        this.requests.push({ url, headers, events, atMs: performance.now() });
        const answer = this.behave.length > 1 ? this.behave.shift() : this.behave[0];
        answer?.(response);
      });
    });
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the sink does not listen');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/decisions`;
  }

  /** Every received event, in order, duplicates included. */
  get events(): Event[] {
    return this.requests.flatMap(({ events }) => events);
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

/** The events of a batch, each checked by the SDK's schema of CloudEvents 1.0. */
function eventsOf(body: string): Event[] {
  return z
    .array(attributes)
    .parse(JSON.parse(body))
    .map((event) => new CloudEvent<DecisionData>(event, true));
}
