import { retryAfterMs } from '../../retry.ts';

export type Operation = 'GetQueueAttributes' | 'GetQueueUrl';

/** What was asked, for the message. */
export interface Asked {
  operation: Operation;
  queue: string;
  region: string;
  endpoint?: string;
  requestTimeoutMs: number;
  /** The longest that all of it may take, credentials included. */
  limitMs: number;
}

const leastRetryAfterMs = 1_000;
const maxRetryAfterMs = 300_000;

/** What an error of the AWS SDK says, as far as it is to be told apart. */
export interface Facts {
  /** AWS's name for the error, or that of JavaScript's error. */
  code: string;
  /** Node's, of a socket or of TLS: ECONNREFUSED and the like. */
  systemCode: string;
  status: number | undefined;
  retryAfterMs: number | undefined;
  /** For telling errors apart, never for showing. */
  message: string;
}

/** Total. */
export function factsOf(reason: unknown): Facts {
  const { name, message, code, $metadata, $response } = mapping(reason);
  const status = mapping($metadata)['httpStatusCode'];
  const headers = mapping(mapping($response)['headers']);
  return {
    code: typeof name === 'string' ? name : '',
    systemCode: typeof code === 'string' ? code : '',
    status: typeof status === 'number' ? status : undefined,
    retryAfterMs: boundedRetryAfterMs(headers['retry-after']),
    message: typeof message === 'string' ? message : String(reason),
  };
}

function boundedRetryAfterMs(header: unknown): number | undefined {
  const askedMs = typeof header === 'string' ? retryAfterMs(header, Date.now()) : undefined;
  return askedMs === undefined ? undefined : Math.min(Math.max(leastRetryAfterMs, askedMs), maxRetryAfterMs);
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
