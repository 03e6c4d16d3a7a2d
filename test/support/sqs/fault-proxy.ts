import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from '../../../fakes/ports.ts';
import { type Counts, outdated, skewed } from './counts.ts';
import { Lag } from './lag.ts';
import { requestOf, type SqsRequest } from './request.ts';
import type { Trouble } from './trouble.ts';
import { askUpstream, attributesOf, countsNow, type Upstream } from './upstream.ts';

/** Selects requests that match every given field. */
export type Where = Partial<Pick<SqsRequest, 'operation' | 'queue' | 'accessKeyId' | 'region'>>;

interface Skew {
  readonly by: Partial<Counts>;
  /** How many more answers it affects. */
  answers: number;
}

/** A proxy for a server of SQS. It counts requests, and adds faults that no such server has by itself. */
export class FaultProxy {
  readonly url: string;
  /** Every request, in order of arrival. */
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

  /** How many requests match. */
  count(where: Where = {}): number {
    return this.requests.filter((request) => matches(request, where)).length;
  }

  /** Applies until the returned function is called. */
  trouble(trouble: Trouble, where: Where = {}): () => void {
    return this.troubleWhere(trouble, (request) => matches(request, where));
  }

  /** The same, for requests that a rule selects. */
  troubleWhere(trouble: Trouble, applies: (request: SqsRequest) => boolean): () => void {
    const rule = { trouble, applies };
    this.troubles.add(rule);
    return () => void this.troubles.delete(rule);
  }

  /** From now on the queue's counts in answers are this old. */
  async lag(queue: string, lagMs: number): Promise<void> {
    this.lags.get(queue)?.end();
    this.lags.set(queue, await Lag.start(lagMs, () => countsNow(this.upstream, queue)));
  }

  /** Changes the queue's counts in the next answers, this many. */
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
      // The client is gone, or the server is.
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
