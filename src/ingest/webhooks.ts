import { isUtf8 } from 'node:buffer';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { epochNowMs } from '../clock.ts';
import { JsonReader } from '../json.ts';
import type { InboundEvent, WebhookHeaders } from '../sources/inbound.ts';
import { FewAMinute, type Logger } from '../telemetry/log.ts';
import { ownTurn } from '../turns.ts';
import { type Answer, refusal } from './answer.ts';
import type { Keeper } from './keep.ts';
import type { Head, IngestKind, PathShape } from './kind.ts';
import { mediaTypeOf } from './media-type.ts';
import type { Receiver } from './receiver.ts';

/** More are not tried for one request: every one of them is a hash of the whole body. */
const maxSecretsTried = 32;

export interface WebhooksOptions {
  /** The kind of the source, and the path. */
  readonly kind: string;
  readonly headers: WebhookHeaders;
  readonly keeper: Keeper;
  /** All connections that take webhooks now. */
  readonly receivers: () => readonly Receiver[];
  readonly log: Logger;
  /** In ms, monotonic. */
  readonly now?: () => number;
}

/**
 * Webhooks of one kind of source, signed as GitHub does it. A body is parsed only after a secret of ours has
 * verified it. It counts only for connections with that secret and its owner.
 */
export class SignedWebhooks implements IngestKind {
  readonly kind: string;
  readonly paths: readonly PathShape[] = ['', '/:connection'];
  readonly knowsBy = 'body';
  private readonly options: WebhooksOptions;
  private readonly refusals: RefusalLog;

  constructor(options: WebhooksOptions) {
    const { kind, log, now = () => performance.now() } = options;
    this.options = options;
    this.kind = kind;
    this.refusals = new RefusalLog(log, now);
  }

  refuse({ headers }: Head): Answer | undefined {
    const { signature } = this.options.headers;
    if (!isSignature(headerOf(headers, signature))) {
      return refusal(401, 'unsigned', `needs ${signature}: set a secret at the webhook`);
    }
    if (payloadTypeOf(headers['content-type']) === undefined) {
      return refusal(415, 'unsupported', 'takes application/json and application/x-www-form-urlencoded');
    }
    return undefined;
  }

  async take({ headers, connection }: Head, body: Buffer): Promise<Answer> {
    const { headers: names } = this.options;
    const signature = headerOf(headers, names.signature);
    const type = payloadTypeOf(headers['content-type']);
    if (!isSignature(signature) || type === undefined) return malformed('the request is not whole');
    const candidates = this.candidates(connection);
    const areTooMany = connection === undefined && secretsOf(candidates).size > maxSecretsTried;
    const signers = await signersOf(body, signature, areTooMany ? [] : candidates);
    if (signers.length === 0) {
      const why = areTooMany ? 'too_many' : candidates.length === 0 ? 'unknown' : 'secret';
      this.refusals.refused(why, connection, headerOf(headers, names.hook));
      return refusal(401, why === 'secret' ? 'refused' : 'unknown_connection', notSigned(this.kind));
    }
    const event = headerOf(headers, names.event);
    if (typeof event !== 'string' || event === '') return malformed(`needs ${names.event}`);
    const parsed = parsePayload(body, type);
    if (parsed === undefined)
      return malformed(
        'the body is not JSON, or not a form with JSON in its payload, or it is nested too deep',
      );
    if (event === 'ping') return { status: 200, outcome: 'ping', body: { accepted: 'ping' } };
    const owners = signers.filter((signer) => signer.owns(parsed.payload));
    if (owners.length === 0) {
      const error = 'its owner is of no connection whose secret signed it';
      return refusal(403, 'foreign', error);
    }
    const delivery = headerOf(headers, names.delivery);
    return this.options.keeper.keep(factsOf(owners, event, delivery, parsed.payload));
  }

  private candidates(connection: string | undefined): readonly Receiver[] {
    return this.options
      .receivers()
      .filter(({ kind, name }) => kind === this.kind && (connection === undefined || name === connection));
  }
}

/** Also where there is no such connection: who has shown nothing does not learn which there are. */
function notSigned(kind: string): string {
  return `no secret of ours for this path made the signature; where there are more than ${maxSecretsTried} secrets, send to /ingest/${kind}/<connection>`;
}

/** Node has names of headers in lower case. */
function headerOf(headers: IncomingHttpHeaders, name: string): unknown {
  return headers[name.toLowerCase()];
}

/** One event for each connection that the payload is a fact for. */
function factsOf(
  owners: readonly Receiver[],
  event: string,
  delivery: unknown,
  payload: unknown,
): readonly InboundEvent[] {
  const receivedAtMs = epochNowMs();
  const type = typeOf(event, payload);
  const id = typeof delivery === 'string' ? delivery.slice(0, 64) : '';
  return owners.flatMap(({ name, fact }) => {
    const said = fact(event, payload);
    return said === undefined ? [] : [{ connection: name, type, id, receivedAtMs, fact: said }];
  });
}

function typeOf(event: string, payload: unknown): string {
  const action = typeof payload === 'object' && payload !== null && 'action' in payload ? payload.action : '';
  const type = typeof action === 'string' && action !== '' ? `${event}.${action}` : event;
  return type.slice(0, 100);
}

function malformed(error: string): Answer {
  return refusal(400, 'malformed', error);
}

/** So much of a body is hashed at a time; others get their turn in between. */
const turnBytes = 128 * 1024;

const prefix = 'sha256=';

/** What the header of a signature holds: the HMAC-SHA256 of the raw body in lower-case hex (docs.github.com, "Validating webhook deliveries"). */
export function isSignature(header: unknown): header is string {
  return typeof header === 'string' && /^sha256=[0-9a-f]{64}$/.test(header);
}

/** The distinct secrets of these connections: those of one App over many owners count once. */
export function secretsOf(receivers: readonly Receiver[]): ReadonlySet<string> {
  return new Set(receivers.flatMap(({ secrets }) => secrets));
}

/** Made nothing. It is tried where there is no secret: else an answer that comes sooner would tell so. */
const nobodysSecret = randomBytes(32).toString('hex');

/**
 * Those of the receivers one of whose secrets made the signature, compared in constant time. Each secret is
 * tried, also after one that fits: two connections may share one and differ in another.
 */
export async function signersOf(
  body: Buffer,
  signature: string,
  receivers: readonly Receiver[],
): Promise<readonly Receiver[]> {
  // No sender of JSON or forms sends anything else.
  if (body.length === 0 || !isUtf8(body)) return [];
  const made = Buffer.from(signature.slice(prefix.length), 'hex');
  const signed = new Set<string>();
  const secrets = secretsOf(receivers);
  for (const secret of secrets.size === 0 ? [nobodysSecret] : secrets) {
    if (timingSafeEqual(await hmacOf(body, secret), made)) signed.add(secret);
  }
  return receivers.filter(({ secrets }) => secrets.some((secret) => signed.has(secret)));
}

async function hmacOf(body: Buffer, secret: string): Promise<Buffer> {
  const hmac = createHmac('sha256', secret);
  for (let at = 0; at < body.length; at += turnBytes) {
    if (at > 0) await ownTurn();
    hmac.update(body.subarray(at, at + turnBytes));
  }
  return hmac.digest();
}

const types = ['application/json', 'application/x-www-form-urlencoded'] as const;
export type PayloadType = (typeof types)[number];

/** The content types of GitHub and compatible senders. Undefined for any other. */
export function payloadTypeOf(contentType: string | undefined): PayloadType | undefined {
  const given = mediaTypeOf(contentType);
  return types.find((type) => type === given);
}

/** The payload in a body, as `{ payload }`; undefined where it is not what its type says. A form has it in its field `payload`. */
export function parsePayload(body: Buffer, type: PayloadType): { payload: unknown } | undefined {
  const json = type === 'application/json' ? body : new URLSearchParams(body.toString('utf8')).get('payload');
  if (json === null) return undefined;
  const read = new JsonReader().read(typeof json === 'string' ? Buffer.from(json) : json);
  return 'value' in read ? { payload: read.value } : undefined;
}

const refusals = {
  secret:
    'a webhook was refused: no secret of ours signed it; compare the secret at the sender with webhookSecretFile',
  unknown:
    'a webhook was refused: no connection of its path takes webhooks; compare the path at the sender with the connections that have webhookSecretFile',
  too_many: `a webhook was refused: there are more than ${maxSecretsTried} secrets that could have signed it; at the sender, add the connection to the path`,
} as const;

/** Says that webhooks are refused: once a minute for each path, however many come. */
export class RefusalLog {
  private readonly log: Logger;
  private readonly few: FewAMinute;

  constructor(log: Logger, now: () => number) {
    this.log = log;
    this.few = new FewAMinute(1, now);
  }

  /** `connection`: the name in the path. Unknown names are logged once a minute, all together. */
  refused(why: keyof typeof refusals, connection: string | undefined, hookId: unknown): void {
    const due = this.few.due(why === 'secret' ? `connection ${connection ?? ''}` : why);
    if (due === undefined) return;
    this.log.warn(
      {
        ...(connection === undefined ? {} : { connection }),
        ...(isHookId(hookId) ? { hookId } : {}),
        ...(due.unsaid === undefined ? {} : { alsoRefused: due.unsaid }),
      },
      refusals[why],
    );
  }
}

/** Anybody can send this header. */
function isHookId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}
