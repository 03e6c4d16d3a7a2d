import type { ErrorCode, ScalerError } from '../../errors.ts';
import { FewAMinute, type Logger } from '../../telemetry/log.ts';
import type { Outcome } from '../answer.ts';

/** What is said of messages that are not taken; the sender of one that is verified late does not see it. */
const texts = {
  signature: 'a message of SNS was refused: its signature is not by the certificate that it names',
  certificate: 'a message of SNS was refused: the certificate that it names is not there, or no good',
  unreachable:
    'messages of SNS cannot be verified, and are not hints: let this pod reach sns.<region>.amazonaws.com by HTTPS',
  too_many:
    'messages of SNS are not verified: too many certificates were asked for, which is what forgers do',
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

  /** `connection` must be one that there is; `fields` of what anybody can send must be bounded. */
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
