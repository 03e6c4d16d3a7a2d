import { bearerOf, hashOf, isSame } from '../bearer.ts';
import type { InboundCloudEvent } from '../sources/inbound.ts';
import type { AnySource } from '../sources/source.ts';
import { type Answer, refusal } from './answer.ts';
import type { Head } from './kind.ts';
import { type Receiver, receiversOf } from './receiver.ts';

/** What ingest knows of a connection that may be hinted. */
export interface Hinted {
  readonly name: string;
  /** The ARNs of the SNS topics that may wake it. */
  readonly snsTopics: ReadonlySet<string>;
  /** What a CloudEvent says for its ledger, or undefined where that is nothing. Without it CloudEvents are hints. */
  readonly fact?: (event: InboundCloudEvent) => unknown;
}

/** Who may send, and for whom: taken from one configuration, and replaced as a whole. */
export interface Senders {
  /** The connections that take webhooks. */
  readonly receivers: readonly Receiver[];
  /** All connections, by name. */
  readonly connections: ReadonlyMap<string, Hinted>;
  readonly tokens: Tokens;
}

interface Configured {
  readonly name: string;
  readonly source: AnySource;
  readonly config: unknown;
}

export function sendersOf(connections: Iterable<Configured>, tokens: readonly Token[]): Senders {
  const all = [...connections];
  return {
    receivers: receiversOf(all),
    connections: new Map(all.map((one) => [one.name, hintedOf(one)])),
    tokens: new Tokens(tokens),
  };
}

/** Whether anybody may send anything. */
export function anySender({ receivers, connections, tokens }: Senders): boolean {
  return (
    receivers.length > 0 ||
    tokens.size > 0 ||
    [...connections.values()].some(({ snsTopics }) => snsTopics.size > 0)
  );
}

function hintedOf({ name, source, config }: Configured): Hinted {
  const { cloudEvents } = source;
  return {
    name,
    snsTopics: new Set(source.snsTopics?.(config) ?? []),
    ...(cloudEvents === undefined
      ? {}
      : { fact: (event: InboundCloudEvent) => cloudEvents.fact(config, event) }),
  };
}

/** A bearer token, and whom it may send to. */
export interface Token {
  /** For people; two may have one name while one is replaced. */
  readonly name: string;
  /** Never logged. */
  readonly token: string;
  /** The names of connections. */
  readonly connections: readonly string[];
}

/** What a request's token is good for. */
export interface Bearer {
  readonly name: string;
  readonly connections: ReadonlySet<string>;
}

/** All tokens of a configuration. */
export class Tokens {
  private readonly known: readonly { hash: Buffer; bearer: Bearer }[];

  constructor(tokens: readonly Token[]) {
    this.known = tokens.map(({ name, token, connections }) => ({
      hash: hashOf(token),
      bearer: { name, connections: new Set(connections) },
    }));
  }

  get size(): number {
    return this.known.length;
  }

  /**
   * The connections of an `Authorization` header (RFC 6750 §2.1). Undefined for an unknown token. Hashes have equal length
   * and all are compared, even after a match: so timing reveals nothing, and a token may be listed twice.
   */
  bearer(authorization: string | undefined): Bearer | undefined {
    const given = bearerOf(authorization);
    if (given === undefined) return undefined;
    const hash = hashOf(given);
    const fitting = this.known.filter((one) => isSame(one.hash, hash)).map(({ bearer }) => bearer);
    const [first] = fitting;
    if (first === undefined || fitting.length === 1) return first;
    return {
      name: first.name,
      connections: new Set(fitting.flatMap(({ connections }) => [...connections])),
    };
  }
}

export const noSenders: Senders = { receivers: [], connections: new Map(), tokens: new Tokens([]) };

/**
 * The answer to a request without the required bearer token of its connection. Undefined if it has one. A token is
 * accepted only in the header: in a URL it would end up in the logs of every proxy (RFC 6750 §5.3).
 */
export function refuseBearer(
  { headers, connection }: Head,
  { tokens, connections }: Senders,
): Answer | undefined {
  const bearer = tokens.bearer(headers.authorization);
  if (bearer === undefined) return unauthorized(headers.authorization);
  if (connection === undefined || !connections.has(connection)) {
    return refusal(404, 'unknown_connection', 'there is no connection of this name');
  }
  if (!bearer.connections.has(connection)) {
    return refusal(
      403,
      'foreign',
      'the token is not for this connection: ingest.tokens lists those it is for',
    );
  }
  return undefined;
}

/** RFC 6750 §3: the required scheme, and for a wrong token that it is invalid. */
function unauthorized(authorization: string | undefined): Answer {
  if (bearerOf(authorization) === undefined) {
    const headers = { 'www-authenticate': 'Bearer' };
    return refusal(401, 'unsigned', 'needs the header "Authorization: Bearer <token>"', { headers });
  }
  const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
  return refusal(401, 'refused', 'the token is none of ingest.tokens', { headers });
}
