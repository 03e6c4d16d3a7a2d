import { ScalerError } from '../../../errors.ts';
import { jetStreamErrors, natsFault } from '../../../outbound/nats.ts';
import { printable, quote } from '../../../printable.ts';

/** What was requested, for the message. */
export interface FailedRequest {
  readonly stream: string;
  readonly consumer: string;
  readonly servers: readonly string[];
  readonly domain?: string;
}

/** A refusal by JetStream: `error` of its answer (ApiError of nats-server). */
export class JetStreamRefusal extends Error {
  override readonly name = 'JetStreamRefusal';
  readonly code: number;
  readonly description: string;

  constructor(code: number, description: string) {
    super(`JetStream refuses: ${code}`);
    this.code = code;
    this.description = description;
  }
}

/** `err_code` in server/errors.json of nats-server. */
const codes = {
  ...jetStreamErrors,
  /** No leader, no quorum, or its servers are offline. */
  notReady: [10008, 10009, 10118, 10119, 10194, 10195],
} as const;

/** Turns an error of the client or of JetStream into ours. Total. */
export function fromNats(reason: unknown, asked: FailedRequest): ScalerError {
  if (reason instanceof ScalerError) return reason;
  const { stream, consumer, servers, domain } = asked;
  const where = `stream ${quote(stream)}, consumer ${quote(consumer)}`;
  const there = domain === undefined ? '' : ` of domain ${quote(domain)}`;
  if (!(reason instanceof JetStreamRefusal)) {
    const text = `${where}: NATS at ${servers.join(', ')} ${natsFault(reason)}`;
    return new ScalerError('unavailable', text, { cause: reason });
  }
  const { code, description } = reason;
  switch (true) {
    case code === codes.streamNotFound:
      return new ScalerError(
        'not_found',
        `${where}: the connection's account${there} has no such stream: create it, or correct the name, the credentials or the domain of the connection`,
      );
    case code === codes.consumerNotFound:
      return new ScalerError(
        'not_found',
        `${where}: the stream has no such consumer: create it before the workload runs, as a durable one`,
      );
    case isOneOf(codes.notEnabled, code):
      return new ScalerError(
        'unavailable',
        `${where}: JetStream${there} is not enabled for the connection's account: enable it, or correct the credentials of the connection`,
      );
    case isOneOf(codes.notReady, code):
      return new ScalerError(
        'unavailable',
        `${where}: JetStream${there} is not ready (${said(description, code)}): it is asked again`,
      );
    default:
      return new ScalerError('unavailable', `${where}: JetStream refuses (${said(description, code)})`);
  }
}

function isOneOf(all: readonly number[], code: number): boolean {
  return all.includes(code);
}

const mostCharacters = 200;

function said(description: string, code: number): string {
  return `${printable(description.slice(0, mostCharacters))}, ${code}`;
}
