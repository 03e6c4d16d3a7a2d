import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from '../../../fakes/ports.ts';
import { type Counts, outdated, skewed } from './counts.ts';
import { Lag } from './lag.ts';
import { requestOf, type SqsRequest } from './request.ts';
import type { Trouble } from './trouble.ts';
import { askUpstream, attributesOf, countsNow, type Upstream } from './upstream.ts';

/** Which requests are meant: all that have what is given. */
export type Where = Partial<Pick<SqsRequest, 'operation' | 'queue' | 'accessKeyId' | 'region'>>;

interface Skew {
  readonly by: Partial<Counts>;
  /** How many more answers it is in. */
  answers: number;
}

/** Stands in front of a server of SQS: counts what is asked, and adds what no such server does by itself. */
export class FaultProxy {
  readonly url: string;
  /** Every request, in the order they came. */
  readonly requests: SqsRequest[] = [];
  private readonly server: Server;
  private readonly upstream: Upstream;
  private readonly troubles = new Set<{
    readonly trouble: Trouble;
    readonly applies: (r: SqsRequest) => boolean;
  }>();
  private readonly lags = new Map<string, Lag>();
  private readonly skews = new Map<string, Skew>();

  static async start(upstream: Upstream): Promise<FaultProxy> {
    const server = createServer();
    const port = await listen(server);
    return new FaultProxy(server, port, upstream);
  }

  private constructor(server: Server, port: number, upstream: Upstream) {
    this.server = server;
    this.url = `http://127.0.0.1:${port}`;
    this.upstream = upstream;
    server.on('request', (request, response) => void this.pass(request, response));
  }

  /** How many requests there were. */
  count(where: Where = {}): number {
    return this.requests.filter((request) => matches(request, where)).length;
  }

  /** From now on, until the returned function is called. */
  trouble(trouble: Trouble, where: Where = {}): () => void {
    return this.troubleWhere(trouble, (request) => matches(request, where));
  }

  /** The same, for requests that a rule picks. */
  troubleWhere(trouble: Trouble, applies: (request: SqsRequest) => boolean): () => void {
    const rule = { trouble, applies };
    this.troubles.add(rule);
    return () => void this.troubles.delete(rule);
  }

  /** From now on the queue's counts are answered as they were so long ago. */
  async lag(queue: string, lagMs: number): Promise<void> {
    this.lags.get(queue)?.end();
    this.lags.set(queue, await Lag.start(lagMs, () => countsNow(this.upstream, queue)));
  }

  /** Adds to the queue's counts in the next so many answers. */
  phantom(queue: string, by: Partial<Counts>, answers = Number.POSITIVE_INFINITY): void {
    this.skews.set(queue, { by, answers });
  }

  /** The queue's counts are true again. */
  settle(queue: string): void {
    this.lags.get(queue)?.end();
    this.lags.delete(queue);
    this.skews.delete(queue);
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    for (const lag of this.lags.values()) lag.end();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    try {
      const body = await buffer(incoming);
      const request = requestOf(incoming.headers, body, performance.now());
      this.requests.push(request);
      const trouble = [...this.troubles].findLast(({ applies }) => applies(request))?.trouble;
      if (trouble) return meddle(outgoing, trouble);
      const { url: path = '/', headers } = incoming;
      const answer = await askUpstream(this.upstream, { path, headers, body });
      const changed = answer.status === 200 ? this.changed(request, answer.body) : answer.body;
      outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': changed.length }).end(changed);
    } catch {
      // The one who asked has gone, or the server has.
      outgoing.destroy();
    }
  }

  private changed({ operation, queue }: SqsRequest, body: Buffer): Buffer {
    if (operation !== 'GetQueueAttributes' || queue === undefined) return body;
    let attributes = attributesOf(body);
    const lag = this.lags.get(queue);
    if (lag) attributes = outdated(attributes, lag.answer());
    const skew = this.skews.get(queue);
    if (skew && skew.answers > 0) {
      skew.answers -= 1;
      attributes = skewed(attributes, skew.by);
    }
    return lag || skew ? Buffer.from(JSON.stringify({ Attributes: attributes })) : body;
  }
}

function matches(request: SqsRequest, where: Where): boolean {
  return Object.entries(where).every(([name, value]) => Reflect.get(request, name) === value);
}

function meddle(outgoing: ServerResponse, trouble: Trouble): void {
  if (trouble.kind === 'answer') outgoing.writeHead(trouble.status, trouble.headers).end(trouble.body);
  if (trouble.kind === 'reset') outgoing.socket?.resetAndDestroy();
}
