import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TriggerPast } from '../triggers/triggers.ts';
import { sparkOf } from './history.ts';
import type { LiveFeed } from './live.ts';
import type { Details, Sparks } from './page/wire.ts';
import { PageFiles } from './page-files.ts';

export interface StatusPageDeps {
  /** The last so many ms of a trigger. Undefined if there is no such trigger. */
  past(id: string, lastMs?: number): TriggerPast | undefined;
  details(id: string): Promise<Details | undefined>;
  readonly live: LiveFeed;
  /** Whether this header has the valid token. */
  may(authorization: string | undefined): boolean;
  /** The answer has no end of its own. */
  lasts(reply: FastifyReply): void;
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** How many triggers one request may ask the last hour of: more than a screen has. */
const mostSparks = 64;

/** Only files of this port, nothing inline, and no frames. */
const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
};

/**
 * The page at `/` and what only it asks for. Its own files hold nothing of this scaler and need no token; what they show
 * does. `askForToken` and `takePage` are those of the other routes.
 */
export function addStatusPage(
  app: FastifyInstance,
  deps: StatusPageDeps,
  { askForToken, takePage }: { askForToken: Hook; takePage: Hook },
): void {
  const files = new PageFiles();
  const send = async (name: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const file = await files.get(name);
    if (!file) return reply.callNotFound();
    reply.headers(headers).header('etag', file.etag).type(file.type);
    return request.headers['if-none-match'] === file.etag ? reply.code(304).send() : file.text;
  };
  app.get('/', (request, reply) => send('index.html', request, reply));
  app.get<{ Params: { file: string } }>('/page/:file', (request, reply) =>
    send(request.params.file, request, reply),
  );

  app.get('/api/live', { onRequest: [askForToken], exposeHeadRoute: false }, (request, reply) => {
    if (deps.live.isFull) {
      return reply.code(503).header('retry-after', '5').send({ error: 'too many pages are open at once' });
    }
    const { authorization } = request.headers;
    reply.hijack();
    deps.lasts(reply);
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    deps.live.add(reply.raw, () => deps.may(authorization));
    return reply;
  });

  const onRequest = [askForToken, takePage];
  app.get('/api/sparks', { onRequest }, (request, reply) => {
    const { ids } = Object.fromEntries(Object.entries(request.query ?? {}));
    const asked = typeof ids === 'string' ? ids.split(',') : [];
    if (asked.length === 0 || asked.length > mostSparks) {
      return reply
        .code(400)
        .send({ error: `ids must be 1 to ${mostSparks} ids of triggers, with commas between` });
    }
    const sparks = asked.flatMap((id): [string, Sparks[string]][] => {
      const past = deps.past(id, 3_600_000);
      return past ? [[id, sparkOf(past)]] : [];
    });
    return reply.send(Object.fromEntries(sparks));
  });

  app.get<{ Params: { id: string } }>('/api/triggers/:id', { onRequest }, async (request, reply) => {
    const details = await deps.details(request.params.id);
    return details ?? reply.code(404).send({ error: noTrigger });
  });
}

export const noTrigger =
  'there is no trigger of this id now; /api/triggers has the ids of those that there are';
