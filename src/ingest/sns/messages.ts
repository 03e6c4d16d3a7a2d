import { LRUCache } from 'lru-cache';
import { type ErrorCode, ScalerError } from '../../errors.ts';
import { JsonCounter } from '../../json.ts';
import { FewAMinute, type Logger } from '../../telemetry/log.ts';
import { type Answer, type Outcome, refusal } from '../answer.ts';
import { connectionPaths, type Head, type Hint, hinted, type IngestKind } from '../kind.ts';
import type { Senders } from '../senders.ts';
import { Certificates } from './certificates.ts';
import { Confirmations } from './confirmations.ts';
import { type Get, httpsGet } from './https-get.ts';
import {
  announcedIn,
  isCertificateUrl,
  isContentType,
  isInRegionOf,
  isRaw,
  isSubscribeUrl,
  type Message,
  maxValues,
  parseMessage,
  Signature,
  unsigned,
  unsignedRaw,
} from './message.ts';

/** SNS retries for an hour at most (Developer Guide, "Message delivery retries"); what is older is a replay. */
const maxAgeMs = 60 * 60_000;
/** A message has 256 KiB, of which JSON can make more. */
const maxBodyBytes = 2 * 1024 * 1024;
/** At SNS's highest rates this is seconds; what is forgotten and comes again is one hint too many. */
const maxRemembered = 10_000;

export interface SnsMessagesOptions {
  readonly senders: () => Senders;
  readonly hint: Hint;
  readonly log: Logger;
  readonly get?: Get;
  /** In ms since 1970. */
  readonly now?: () => number;
}

/** What is left of a message once its text is hashed. */
interface Notice {
  readonly connection: string;
  readonly subject: string | undefined;
  readonly address: string;
  readonly topic: string;
  readonly type: Message['Type'];
  readonly id: string;
  readonly certificateUrl: string;
  readonly subscribeUrl: string | undefined;
}

/**
 * Messages of Amazon SNS. Each wakes the subject of its path. A well-formed message is answered at once and verified after,
 * since that may need a certificate from SNS. So a missing connection and an unlisted topic get the same answer. Results
 * are counted, and problems are logged.
 *
 * The libraries for this were tried (2026-11): `sns-validator` 0.3.5 refuses every `UnsubscribeConfirmation` and
 * has no timeout, `sns-payload-validator` 2.1.0 has no timeout either, and neither looks at topic or age.
 */
export class SnsMessages implements IngestKind {
  readonly kind = 'sns';
  readonly paths = connectionPaths;
  readonly knowsBy = 'body';
  readonly maxBodyBytes = maxBodyBytes;
  private readonly options: SnsMessagesOptions;
  private readonly now: () => number;
  private readonly closing = new AbortController();
  private readonly certificates: Certificates;
  private readonly confirmations: Confirmations;
  /** What has been taken already: SNS sends again what it takes for lost, and anybody can send again what they have seen. */
  private readonly seen = new LRUCache<string, true>({ max: maxRemembered });
  private readonly troubles: TroubleLog;

  constructor(options: SnsMessagesOptions) {
    const { log, get = httpsGet, now = Date.now } = options;
    const { signal } = this.closing;
    this.options = options;
    this.now = now;
    this.certificates = new Certificates({ get, signal, now });
    this.confirmations = new Confirmations({ get, signal, log });
    this.troubles = new TroubleLog(log, now);
  }

  refuse({ headers, connection = '' }: Head): Answer | undefined {
    if (isRaw(headers)) {
      if (this.topicsOf(connection) !== undefined) this.troubles.say('raw', connection);
      return unsignedRaw();
    }
    if (announcedIn(headers) === undefined) return unsigned();
    return isContentType(headers['content-type'])
      ? undefined
      : refusal(415, 'unsupported', 'takes text/plain and application/json');
  }

  counter(): JsonCounter {
    return new JsonCounter(maxValues);
  }

  async take(head: Head, body: Buffer): Promise<Answer> {
    const announced = announcedIn(head.headers);
    const message = parseMessage(body);
    const isAsAnnounced = message?.Type === announced?.type && message?.TopicArn === announced?.topic;
    if (message === undefined || !isAsAnnounced) {
      return refusal(400, 'malformed', 'the body is no message of SNS, or not the one that its headers say');
    }
    const { connection = '' } = head;
    const fault = this.faultOf(message, connection);
    if (fault !== undefined) return refusal(401, 'refused', fault);
    const signature = Signature.of(message);
    if (signature === undefined) return refusal(401, 'refused', 'SignatureVersion is neither 1 nor 2');
    const decided = this.stranger(message, connection) ?? this.decide(noticeOf(message, head), signature);
    return {
      status: 202,
      outcome: 'accepted',
      body: { accepted: 'is verified now' },
      decided: Promise.resolve(decided),
    };
  }

  close(): void {
    this.closing.abort(new ScalerError('unavailable', 'ingest is closing'));
  }

  /** Undefined: there is no such connection, or it takes no messages. */
  private topicsOf(connection: string): ReadonlySet<string> | undefined {
    const topics = this.options.senders().connections.get(connection)?.snsTopics;
    return topics?.size === 0 ? undefined : topics;
  }

  /** What becomes of a message that no signature could make one to act upon. */
  private stranger({ TopicArn: topic }: Message, connection: string): Outcome | undefined {
    const topics = this.topicsOf(connection);
    if (topics === undefined) return 'unknown_connection';
    if (topics.has(topic)) return undefined;
    this.troubles.say('topic', connection, { topic });
    return 'foreign';
  }

  /** What shows in the message itself that it is not one to act upon. */
  private faultOf(message: Message, connection: string): string | undefined {
    const { SigningCertURL } = message;
    if (!isCertificateUrl(SigningCertURL) || !isInRegionOf(message.TopicArn, SigningCertURL)) {
      return 'SigningCertURL is not at SNS in the region of the topic';
    }
    if (!(Math.abs(this.now() - Date.parse(message.Timestamp)) <= maxAgeMs)) {
      if (this.topicsOf(connection) !== undefined) this.troubles.say('age', connection);
      return 'Timestamp is more than an hour from now';
    }
    if (message.Type === 'Notification') return undefined;
    const { SubscribeURL, TopicArn, Token } = message;
    return isSubscribeUrl(SubscribeURL, TopicArn, Token) && isInRegionOf(TopicArn, SubscribeURL)
      ? undefined
      : 'SubscribeURL does not confirm this subscription at SNS';
  }

  /** Verifies a message and acts upon it. Never rejects. */
  private async decide(notice: Notice, signature: Signature): Promise<Outcome> {
    const { connection, certificateUrl, id, subject, address } = notice;
    // A message has one ID for all subscribers. The same ID at another path is another hint.
    const key = `${connection} ${subject ?? ''} ${id}`;
    if (this.seen.has(key)) return 'ignored';
    try {
      if (!signature.isBy(await this.certificates.key(certificateUrl, address))) {
        this.troubles.say('signature', connection);
        return 'refused';
      }
    } catch (reason) {
      const error = ScalerError.from(reason);
      const { trouble, outcome } = troubleOf(error);
      this.troubles.say(trouble, connection, { certificate: certificateUrl, error: error.message });
      return outcome;
    }
    if (this.seen.has(key)) return 'ignored';
    this.seen.set(key, true);
    const outcome = await this.act(notice);
    // A confirmation that has not worked may come again.
    if (outcome === 'unavailable') this.seen.delete(key);
    return outcome;
  }

  private async act({ type, connection, subject, topic, subscribeUrl }: Notice): Promise<Outcome> {
    if (type === 'SubscriptionConfirmation' && subscribeUrl !== undefined) {
      const confirmed = await this.confirmations.confirm({ url: subscribeUrl, topic, connection });
      return confirmed ? 'ping' : 'unavailable';
    }
    if (type === 'Notification') return hinted(this.options.hint(connection, subject, 'sns'));
    this.options.log.warn(
      { connection, topic },
      'a subscription of an SNS topic was ended: its messages are no hints any more',
    );
    return 'ignored';
  }
}

function noticeOf(message: Message, { connection = '', subject, address }: Head): Notice {
  return {
    connection,
    subject,
    address,
    topic: message.TopicArn,
    type: message.Type,
    id: message.MessageId,
    certificateUrl: message.SigningCertURL,
    subscribeUrl: message.Type === 'Notification' ? undefined : message.SubscribeURL,
  };
}

/** Log lines about refused messages. The sender of a message that is verified later does not see them. */
const texts = {
  signature: 'a message of SNS was refused: its signature is not by the certificate that it names',
  certificate: 'a message of SNS was refused: the certificate that it names is missing or invalid',
  unreachable:
    'messages of SNS cannot be verified, and are not hints: let this pod reach sns.<region>.amazonaws.com by HTTPS',
  too_many:
    'messages of SNS are not verified: too many that name certificates which are not known wait already, which is what forgers do',
  age: 'a message of SNS was refused: its Timestamp is more than an hour from the clock of this pod',
  topic: 'a message of an SNS topic was refused: snsTopics of the connection does not list it',
  raw: 'a message of SNS was refused: raw delivery is on, and its messages are not signed; turn it off for the subscription',
} as const;

export type Trouble = keyof typeof texts;

/** Says what is wrong with messages of SNS: each once a minute for a connection. */
export class TroubleLog {
  private readonly log: Logger;
  private readonly few: FewAMinute;

  constructor(log: Logger, now: () => number) {
    this.log = log;
    this.few = new FewAMinute(1, now);
  }

  /** `connection` must exist. `fields` from senders must be bounded. */
  say(trouble: Trouble, connection: string, fields: object = {}): void {
    const due = this.few.due(`${trouble} ${connection}`);
    if (due === undefined) return;
    const again = due.unsaid === undefined ? {} : { alsoRefused: due.unsaid };
    this.log.warn({ connection, ...fields, ...again }, texts[trouble]);
  }
}

/** What it means that a certificate could not be had. */
export function troubleOf({ code }: ScalerError): { trouble: Trouble; outcome: Outcome } {
  const known: Partial<Record<ErrorCode, { trouble: Trouble; outcome: Outcome }>> = {
    invalid: { trouble: 'certificate', outcome: 'refused' },
    not_found: { trouble: 'certificate', outcome: 'refused' },
    exhausted: { trouble: 'too_many', outcome: 'busy' },
  };
  return known[code] ?? { trouble: 'unreachable', outcome: 'unavailable' };
}
