import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import type { LoadedConfig } from '../config/load.ts';
import type { Prepared } from '../config/reload.ts';
import { ScalerError } from '../errors.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { tooMuchJson } from '../json.ts';
import { withoutSchemas } from '../sockets.ts';
import type { Logger } from '../telemetry/log.ts';
import { endIngest, type Span, startIngest } from '../telemetry/tracing.ts';
import { type Answer, type Outcome, refusal } from './answer.ts';
import { type BodyFault, type LeastSpeed, readBody, smallBytes } from './body.ts';
import { CloudEvents } from './cloudevents/kind.ts';
import { Hints } from './hint.ts';
import { addressOf, InflightBytes } from './inflight.ts';
import { Keeper } from './keep.ts';
import type { Head, Hint, IngestKind } from './kind.ts';
import { EventPaces, Pace, type PaceOptions } from './pace.ts';
import { type IngestAddress, IngestPort, type PortTimes } from './port.ts';
import { send } from './send.ts';
import { anySender, noSenders, type Senders, sendersOf } from './senders.ts';
import { SnsMessages, type SnsMessagesOptions } from './sns/messages.ts';
import { SignedWebhooks, type WebhooksOptions } from './webhooks.ts';

export interface IngestLimits {
  /** The largest body. */
  readonly maxBodyBytes: number;
  /** What all bodies together may hold. */
  readonly maxInflightBytes: number;
  /** Of each connection. */
  readonly maxEventsPerSecond: number;
}

export interface IngestDeps {
  readonly address: IngestAddress;
  readonly events: Pick<EventLog, 'append'>;
  readonly requests: { inc(labels: { kind: string; outcome: Outcome }): void };
  readonly hint: Hint;
  /** The kinds of sources that webhooks fill. */
  readonly webhooks: readonly Pick<WebhooksOptions, 'kind' | 'headers'>[];
  readonly log: Logger;
  /** What calls SNS, and by which clock. */
  readonly sns?: Pick<SnsMessagesOptions, 'get' | 'now'>;
}

/** In ms. */
export interface IngestTimes extends PortTimes {
  /** How long a refused sender has to see the answer. */
  readonly lingerMs: number;
  /** In this time `leastBytes` of a body must come from who has shown nothing. */
  readonly slowMs: number;
}

const defaultTimes: IngestTimes = {
  headMs: 5_000,
  requestMs: 10_000,
  answerMs: 20_000,
  checkMs: 1_000,
  idleMs: 75_000,
  lingerMs: 500,
  slowMs: 2_000,
};

const busyRetrySeconds = 5;
/** A tenth of what the slowest line of today brings; GitHub sends a webhook in one piece. */
const leastBytes = 8 * 1024;
/** Of all large bodies whose senders have shown nothing. A webhook of GitHub has 25 MB at most, and nearly always less than 64 KiB. */
const unshownBytesPerSecond = 16 * 1024 * 1024;
/**
 * Refusals to senders who have shown nothing. Those who guess and forge one request after the other get so many, and take
 * no more of the event loop from the others.
 */
const refusalPace: PaceOptions = { perSecond: 100, burst: 100, mostWaitMs: 2_000 };
/** Load balancers ask for one of them whether we are there, and send nothing where they are not answered with 200. */
const healthPaths = ['/', '/healthz'];
/** Longer than any name: a topic's 249, `owner/repo` 140, a queue's URL about as much. */
const maxSubjectLength = 512;
/** What only comes of a request whose sender is known: the connection is worth more than others. */
const shown: ReadonlySet<Outcome> = new Set(['accepted', 'unwatched', 'ping']);
/** What does not come of a request whose sender has shown nothing. */
const unpaced: ReadonlySet<Outcome> = new Set([...shown, 'ignored', 'unavailable']);
const methods = ['POST', 'OPTIONS', 'GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE'];

/** The port for inbound events. It may face the internet. Each kind decides what a request must show. */
export class IngestServer {
  private readonly deps: IngestDeps;
  private readonly times: IngestTimes;
  /** Undefined until somebody may send. */
  private port: IngestPort | undefined;
  private readonly inflight = new InflightBytes();
  private readonly unshownBytes = new Pace({ perSecond: unshownBytesPerSecond });
  private readonly refusals: Pace;
  private readonly eventPaces = new EventPaces();
  /** The last large body in the queue. */
  private large: Promise<unknown> = Promise.resolve();
  private readonly kinds: readonly IngestKind[];
  private senders: Senders = noSenders;
  private maxBodyBytes = 0;
  private draining = false;

  constructor(deps: IngestDeps, times: Partial<IngestTimes> = {}, refusals = refusalPace) {
    this.deps = deps;
    this.refusals = new Pace(refusals);
    this.times = { ...defaultTimes, ...times };
    const { events, hint, webhooks, log, sns } = deps;
    const senders = (): Senders => this.senders;
    const keeper = new Keeper({ events, log, paces: this.eventPaces });
    this.kinds = [
      ...webhooks.map(
        (kind) => new SignedWebhooks({ ...kind, keeper, log, receivers: () => this.senders.receivers }),
      ),
      new Hints({ senders, hint }),
      new SnsMessages({ senders, hint, log, ...sns }),
      new CloudEvents({ senders, keeper, hint }),
    ];
  }

  /**
   * With the first sender that may send the port is opened; it stays. Throws ScalerError where it cannot be had.
   * Until the commit it answers as if nobody might send.
   */
  async prepare({ connections, settings: { ingest } }: LoadedConfig): Promise<Prepared> {
    const { address, log } = this.deps;
    const senders = sendersOf(connections.values(), ingest.tokens);
    const port = this.port === undefined && anySender(senders) ? await this.listen(address) : undefined;
    return {
      commit: () => {
        this.use(senders, ingest);
        if (port !== undefined) log.info({ server: 'ingest', host: address.host, port }, 'listening');
      },
      discard: () => (port === undefined ? undefined : this.unlisten()),
    };
  }

  /** From the next request on. */
  use(senders: Senders, { maxBodyBytes, maxInflightBytes, maxEventsPerSecond }: IngestLimits): void {
    this.senders = senders;
    this.eventPaces.use(maxEventsPerSecond, senders.connections);
    this.maxBodyBytes = maxBodyBytes;
    this.inflight.use(maxInflightBytes, maxBodyBytes, this.deps.address.maxConnections);
  }

  get openConnections(): number {
    return this.port?.sockets.size ?? 0;
  }

  /** What all bodies hold now. */
  get inflightBytes(): number {
    return this.inflight.bytes;
  }

  /** Resolves with the port; throws ScalerError where it cannot be had, and can then be called again. */
  async listen({ host, port }: Pick<IngestAddress, 'host' | 'port'>): Promise<number> {
    const served = await this.createPort();
    this.port = served;
    try {
      return await served.listen({ host, port });
    } catch (cause) {
      await this.unlisten();
      const { message } = ScalerError.from(cause);
      throw new ScalerError('unavailable', `ingest: cannot listen on ${host}:${port}: ${message}`, { cause });
    }
  }

  private async unlisten(): Promise<void> {
    const { port } = this;
    this.port = undefined;
    await port?.drain(0);
  }

  /** Takes nothing new; requests that are under way have so long to end. */
  async drain(limitMs: number): Promise<void> {
    this.draining = true;
    await this.port?.drain(limitMs);
    for (const kind of this.kinds) kind.close?.();
  }

  private async createPort(): Promise<IngestPort> {
    const app = fastify({
      logger: false,
      schemaController: withoutSchemas,
      rewriteUrl: ({ url = '/' }) => tidy(url),
      frameworkErrors: (_, __, reply) => void this.nothingHere(reply),
    });
    app.addHook('onRequest', async ({ is404 }, reply) => {
      if (!is404) return undefined;
      await this.refusals.passed(1);
      return this.nothingHere(reply);
    });
    app.addHook('onSend', async (_, reply) => {
      if (this.draining) reply.header('connection', 'close');
    });
    for (const url of healthPaths) {
      app.route({ method: ['GET', 'HEAD'], url, handler: async () => ({ accepted: 'is there' }) });
    }
    for (const kind of this.kinds) this.addKind(app, kind);
    await app.ready();
    return new IngestPort(app.routing, this.deps.address.maxConnections, this.times);
  }

  private nothingHere(reply: FastifyReply): FastifyReply {
    const error = 'nothing is here; events go to /ingest/<kind>/<connection>';
    return send(reply, refusal(404, 'unsupported', error), this.times.lingerMs);
  }

  private addKind(app: FastifyInstance, kind: IngestKind): void {
    for (const shape of kind.paths) {
      app.route({
        method: methods,
        url: `/ingest/${kind.kind}${shape}`,
        // Bodies are read here, raw and within bounds: after this hook Fastify reads them, or refuses their types.
        onRequest: async (request, reply) => {
          const head = headOf(request);
          if ((head.subject?.length ?? 0) > maxSubjectLength) return this.nothingHere(reply);
          const span = startIngest(kind.kind);
          const answer = await this.answerTo(kind, head, request);
          return this.answer(kind, reply, answer, span);
        },
        handler: (_, reply) => this.nothingHere(reply),
      });
    }
  }

  private async answerTo(kind: IngestKind, head: Head, { method, raw }: FastifyRequest): Promise<Answer> {
    if (method === 'POST') {
      const refused = kind.refuse(head);
      const answer = refused ?? (await this.take(kind, head, raw));
      const isShown = refused === undefined && kind.knowsBy === 'head';
      if (!isShown && !unpaced.has(await outcomeSoon(answer))) await this.refusals.passed(1);
      return answer;
    }
    if (method === 'OPTIONS' && kind.handshake !== undefined) return kind.handshake(head);
    const allow = kind.handshake === undefined ? 'POST' : 'POST, OPTIONS';
    return refusal(405, 'unsupported', `takes ${allow}`, { headers: { allow } });
  }

  private answer({ kind }: IngestKind, reply: FastifyReply, given: Answer, span: Span): FastifyReply {
    const { method, socket } = reply.request.raw;
    const count = (outcome: Outcome): void => {
      this.deps.requests.inc({ kind, outcome });
      endIngest(span, outcome);
      if (method === 'POST' && shown.has(outcome)) this.port?.sockets.trust(socket);
    };
    if (given.decided === undefined) count(given.outcome);
    else void given.decided.then(count);
    return send(reply, given, this.times.lingerMs);
  }

  private async take(kind: IngestKind, head: Head, request: IncomingMessage): Promise<Answer> {
    const isShown = kind.knowsBy === 'head';
    const share = this.inflight.open({ socket: request.socket, isShown });
    try {
      const maxBytes = Math.min(kind.maxBodyBytes ?? Number.POSITIVE_INFINITY, this.maxBodyBytes);
      const leastSpeed: LeastSpeed = { bytes: leastBytes, everyMs: this.times.slowMs };
      const body = await readBody(request, share, {
        maxBytes,
        ...(isShown ? {} : { leastSpeed, pace: this.unshownBytes }),
        counter: kind.counter?.(head),
      });
      if (typeof body === 'string') return faulty(body, maxBytes);
      return await this.inTurn(body, () => kind.take(head, body));
    } catch (reason) {
      const { message } = ScalerError.from(reason);
      this.deps.log.error(
        { kind: kind.kind, error: message },
        'an event from outside could not be taken: a fault of the scaler itself',
      );
      return refusal(500, 'unavailable', 'a fault of the scaler itself');
    } finally {
      share.release();
    }
  }

  /**
   * Handles large bodies one after the other, with a turn for others in between. While a body is verified and parsed it takes
   * several times its bytes, and large bodies must not delay small ones.
   */
  private inTurn(body: Buffer, take: () => Promise<Answer>): Promise<Answer> {
    if (body.length <= smallBytes) return take();
    const taken = this.large.then(() => setImmediate()).then(take);
    this.large = taken.catch(() => undefined);
    return taken;
  }
}

/** What became of it; `refused` where that takes longer than a turn of the event loop. */
function outcomeSoon({ decided, outcome }: Answer): Outcome | Promise<Outcome> {
  return decided === undefined ? outcome : Promise.race([decided, setImmediate<Outcome>('refused')]);
}

/**
 * A path without empty parts: a base address that ends in a slash, with a path that begins with one, is common. The two
 * slashes of a queue's URL stay.
 */
function tidy(url: string): string {
  const [path = '', ...query] = url.split('?');
  const parts = path.replace(/([^:])\/{2,}/g, '$1/').replace(/^\/{2,}/, '/');
  return [parts.length > 1 && parts.endsWith('/') ? parts.slice(0, -1) : parts, ...query].join('?');
}

function headOf({ headers, params, raw }: FastifyRequest): Head {
  return {
    headers,
    connection: param(params, 'connection'),
    subject: param(params, '*') || undefined,
    address: addressOf(raw.socket.remoteAddress),
  };
}

/** A part of the path. Fastify decodes it once. */
function param(params: unknown, name: string): string | undefined {
  if (typeof params !== 'object' || params === null) return undefined;
  const value: unknown = Object.entries(params).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}

function faulty(fault: BodyFault, maxBytes: number): Answer {
  switch (fault) {
    case 'too_large':
      return refusal(413, 'too_large', `larger than the ${maxBytes} bytes that are taken here`);
    case 'busy':
      return refusal(429, 'busy', 'too much is under way', { retryAfterSeconds: busyRetrySeconds });
    case 'too_deep':
      return refusal(400, 'malformed', `the body ${tooMuchJson}`);
    case 'too_slow':
      return refusal(408, 'too_slow', `fewer than ${leastBytes} bytes came within seconds`);
    case 'cut':
      return refusal(400, 'malformed', 'the body did not come whole');
  }
}
