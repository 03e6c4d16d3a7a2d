import type { IncomingHttpHeaders } from 'node:http';
import { epochNowMs } from '../../clock.ts';
import { JsonCounter } from '../../json.ts';
import type { InboundCloudEvent, InboundEvent } from '../../sources/inbound.ts';
import { stepByStep } from '../../turns.ts';
import { type Answer, refusal } from '../answer.ts';
import type { Keeper } from '../keep.ts';
import { connectionPaths, type Head, type Hint, hinted, type IngestKind } from '../kind.ts';
import { type Hinted, refuseBearer, type Senders } from '../senders.ts';
import { maxBatch, modeOf, parseCloudEvents } from './parse.ts';

export interface CloudEventsOptions {
  readonly senders: () => Senders;
  readonly keeper: Keeper;
  readonly hint: Hint;
}

/**
 * CloudEvents, and the events of EventBridge and Argo Events, from senders with a token. For a connection whose ledger is
 * built from them they are facts, stored before the answer. For any other they are a hint for the path's subject. The event's own subject names what it is about at its sender, which is no name of ours.
 */
export class CloudEvents implements IngestKind {
  readonly kind = 'events';
  readonly paths = connectionPaths;
  readonly knowsBy = 'head';
  private readonly options: CloudEventsOptions;

  constructor(options: CloudEventsOptions) {
    this.options = options;
  }

  refuse(head: Head): Answer | undefined {
    const refused = refuseBearer(head, this.options.senders());
    if (refused !== undefined || modeOf(head.headers) !== undefined) return refused;
    const error =
      'takes application/cloudevents+json, application/cloudevents-batch+json, any content type with ce- headers, and the JSON of EventBridge';
    return refusal(415, 'unsupported', error);
  }

  async take({ headers, connection, subject }: Head, body: Buffer): Promise<Answer> {
    const mode = modeOf(headers);
    // Both were there in `refuse`; the connection may be gone by a new configuration.
    const to = connection === undefined ? undefined : this.options.senders().connections.get(connection);
    if (mode === undefined || to === undefined) {
      return refusal(404, 'unknown_connection', 'there is no connection of this name any more');
    }
    const parsed = await stepByStep(parseCloudEvents(mode, headers, body));
    switch (parsed.kind) {
      case 'faulty':
        return refusal(400, 'malformed', `nothing was taken: ${parsed.why}`);
      case 'too_many': {
        const error = `nothing was taken: ${parsed.count} events are more than the ${maxBatch} of one request`;
        return refusal(413, 'too_large', error);
      }
      case 'events':
        return this.hand(to, subject, parsed.events);
    }
  }

  counter({ headers }: Head): JsonCounter | undefined {
    const mode = modeOf(headers);
    return mode === undefined || mode === 'binary' ? undefined : new JsonCounter();
  }

  handshake({ headers }: Head): Answer {
    return handshakeOf(headers);
  }

  private async hand(
    { name, fact }: Hinted,
    subject: string | undefined,
    events: readonly InboundCloudEvent[],
  ): Promise<Answer> {
    if (fact !== undefined) return this.options.keeper.keep(factsOf(name, fact, events));
    if (events.length === 0) return { status: 202, outcome: 'ignored', body: { accepted: 'holds no event' } };
    const outcome = hinted(this.options.hint(name, subject, 'event'));
    const accepted = outcome === 'accepted' ? 'is looked at now' : 'nobody watches it';
    return { status: 202, outcome, body: { accepted } };
  }
}

function factsOf(
  connection: string,
  fact: (event: InboundCloudEvent) => unknown,
  events: readonly InboundCloudEvent[],
): readonly InboundEvent[] {
  const receivedAtMs = epochNowMs();
  return events.flatMap((event) => {
    const said = fact(event);
    const { type, id } = event;
    return said === undefined ? [] : [{ connection, type, id: id.slice(0, 128), receivedAtMs, fact: said }];
  });
}

/**
 * The answer to a sender that asks before it sends (CloudEvents HTTP webhooks 1.0 §4). It asks without a token and gets
 * the same answer for every path, so that the answer reveals no connections. It may send from any origin at any rate, and
 * its token decides. `WebHook-Request-Callback` is not called, because the answer already is the permission.
 */
export function handshakeOf(headers: IncomingHttpHeaders): Answer {
  const asked = headers['webhook-request-origin'] !== undefined;
  return {
    status: 200,
    outcome: 'ping',
    body: { accepted: asked ? 'may send, with a token; no callback is called' : 'takes POST' },
    headers: {
      allow: 'POST, OPTIONS',
      ...(asked ? { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' } : {}),
    },
  };
}
