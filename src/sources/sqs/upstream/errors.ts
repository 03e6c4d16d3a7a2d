import { ScalerError } from '../../../errors.ts';
import { networkFaults } from '../../../outbound/network-faults.ts';
import { quote } from '../../../printable.ts';
import { retryAfterMs } from '../../../retry.ts';

/** How long a queue is left alone that AWS has throttled without saying for how long. */
export const throttledMs = 5_000;

/**
 * What the AWS SDK or Node's sockets said about a request, in our words. Total. Of AWS's own text nothing is
 * taken over but the name of a refused permission, and the SDK's error is not kept: it can hold signatures.
 */
export function fromAws(reason: unknown, asked: FailedRequest): ScalerError {
  if (reason instanceof ScalerError) return reason;
  const facts = factsOf(reason);
  const where = `queue ${asked.queue} in ${asked.region}`;
  const say = (text: string) => new ScalerError('unavailable', `${where}: ${text}`);

  if (codes.missing.test(facts.code)) {
    const missing = 'AWS says that it does not exist: check its name, its account and the region';
    return new ScalerError('not_found', `${where}: ${missing}`);
  }
  if (codes.throttled.test(facts.code) || facts.status === 429 || facts.status === 503) {
    const retryAfterMs = facts.retryAfterMs ?? throttledMs;
    const throttled = `AWS throttles the requests (${nameOf(facts)}); the next try is in ${Math.ceil(retryAfterMs / 1000)} s`;
    return new ScalerError('unavailable', `${where}: ${throttled}`, { retryAfterMs });
  }
  const refusal = refusalOf(facts, asked);
  if (refusal !== undefined) return say(refusal);
  const local = localFault(facts);
  if (local !== undefined) return say(local);
  const network = networkFault(facts, asked);
  if (network !== undefined) return say(network);
  if (facts.code === 'CredentialsProviderError' || facts.code === 'TokenProviderError') {
    return say(noCredentials());
  }
  if (facts.status !== undefined && facts.status >= 500) {
    return say(`AWS fails (${nameOf(facts)}); the scaler tries again`);
  }
  if (facts.code === unreadable) return say(notSqs(asked));
  return say(`AWS refuses the request (${nameOf(facts)})`);
}

/** The server has closed a kept-alive connection while we sent: nothing was read of the request. */
export function isStaleSocket(reason: unknown): boolean {
  const { systemCode } = factsOf(reason);
  return systemCode === 'ECONNRESET' || systemCode === 'EPIPE';
}

/** The SDK's error where an answer is not JSON. */
const unreadable = 'SyntaxError';

function notSqs({ endpoint }: FailedRequest): string {
  return `what answers is not SQS: check ${endpoint === undefined ? 'proxies in between' : `the connection's endpoint ${endpoint}`}`;
}

/** By the codes of SQS, STS and AWS's front (Common Errors, SQS and STS API references), with or without prefix. */
const codes = {
  missing: /(^|[.#])(QueueDoesNotExist|NonExistentQueue)$/,
  throttled:
    /(^|[.#])(RequestThrottled|Throttl(ing|ed)(Exception)?|TooManyRequests(Exception)?|RequestLimitExceeded|SlowDown|ServiceUnavailable)$/,
  denied: /(^|[.#])(AccessDenied(Exception)?|NotAuthorized|UnauthorizedOperation)$/,
  expired: /(^|[.#])(ExpiredToken(Exception)?|RequestExpired)$/,
  unknownKey:
    /(^|[.#])(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|MissingAuthenticationToken|NotSignedUp|OptInRequired|InvalidIdentityToken(Exception)?)$/,
  signature: /(^|[.#])(SignatureDoesNotMatch|InvalidSignature(Exception)?|IncompleteSignature(Exception)?)$/,
  clock: /(^|[.#])(RequestTimeTooSkewed|RequestInTheFuture)$/,
  address: /(^|[.#])(InvalidAddress|InvalidSecurity|UnsupportedOperation)$/,
};

function refusalOf(
  { code, status, message }: Facts,
  { operation, region }: FailedRequest,
): string | undefined {
  if (codes.expired.test(code)) {
    return 'the AWS credentials have expired: renew the files of `credentials`, or let a role renew them';
  }
  if (codes.unknownKey.test(code)) {
    return 'AWS does not know the credentials: check the access key of the connection, and that it is of this partition';
  }
  if (codes.clock.test(code) || /Signature (expired|not yet current)/.test(message)) {
    return 'the clock of this host is too far from that of AWS: set it';
  }
  if (codes.signature.test(code)) {
    return /valid region/.test(message)
      ? `requests are signed for ${region} and the endpoint is of another region: correct one of the two`
      : 'the signature does not verify: check the secret access key of the connection';
  }
  if (codes.address.test(code))
    return 'the endpoint does not serve it: check its region, account and endpoint';
  if (codes.denied.test(code) || status === 403) {
    return `AWS refuses ${permissionOf(message, operation)}: allow it for the scaler's role or user; for a queue of another account, also in the queue's policy`;
  }
  return undefined;
}

/** What AWS says is not allowed (it may be sts:AssumeRole), in the spelling of policies where it is our own call. */
function permissionOf(message: string, operation: Operation): string {
  const own = `sqs:${operation}`;
  const said = /not authorized to perform: ([a-z0-9-]+:\w+)/i.exec(message)?.[1] ?? own;
  return said.toLowerCase() === own.toLowerCase() ? own : said;
}

function nameOf({ code, status }: Facts): string {
  const name = code !== unreadable && /^[\w.#:-]{1,100}$/.test(code) ? [code] : [];
  return (
    [...name, ...(status === undefined ? [] : [`HTTP ${status}`])].join(', ') ||
    'for a reason it does not name'
  );
}

export type Operation = 'GetQueueAttributes' | 'GetQueueUrl';

/** What was asked, for the message. */
export interface FailedRequest {
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

/** The facts that distinguish errors of the AWS SDK. */
export interface Facts {
  /** AWS's name for the error, or that of JavaScript's error. */
  code: string;
  /** Node's code of a socket or TLS error, such as ECONNREFUSED. */
  systemCode: string;
  status: number | undefined;
  retryAfterMs: number | undefined;
  /** For telling errors apart, never for showing. */
  message: string;
  /** Of a file that could not be read. */
  path: string | undefined;
}

/** Total. */
export function factsOf(reason: unknown): Facts {
  const { name, message, code, path, $metadata, $response } = mapping(reason);
  const status = mapping($metadata)['httpStatusCode'];
  const headers = mapping(mapping($response)['headers']);
  return {
    code: typeof name === 'string' ? name : '',
    systemCode: typeof code === 'string' ? code : '',
    status: typeof status === 'number' ? status : undefined,
    retryAfterMs: boundedRetryAfterMs(headers['retry-after']),
    message: typeof message === 'string' ? message : String(reason),
    path: typeof path === 'string' ? path : undefined,
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

/** The variables by which the AWS default chain finds credentials, and what each is for. */
const chainVariables = {
  AWS_WEB_IDENTITY_TOKEN_FILE: "the token of the pod's role (IRSA)",
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: 'the token for EKS Pod Identity',
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'EKS Pod Identity',
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: 'a role of ECS',
  AWS_ROLE_ARN: "the pod's role (IRSA)",
  AWS_PROFILE: 'a profile',
  AWS_CONFIG_FILE: 'the config file',
  AWS_SHARED_CREDENTIALS_FILE: 'the credentials file',
};

function noCredentials(): string {
  const names = Object.keys(chainVariables).filter((name) => process.env[name]);
  const none = 'no AWS credentials were found';
  return names.length === 0
    ? `${none}: give the pod a role (IRSA, Pod Identity), or the connection \`credentials\``
    : `${none} by ${names.join(', ')}: check what the environment says there, and that it answers`;
}

/** A file of this pod that the default chain wants and cannot read: AWS was not asked. Node names no directory it was given. */
function localFault({
  systemCode,
  path = process.env['AWS_WEB_IDENTITY_TOKEN_FILE'],
}: Facts): string | undefined {
  if (path === undefined || !/^(ENOENT|EACCES|EPERM|EISDIR|ENOTDIR|ELOOP|EIO)$/.test(systemCode))
    return undefined;
  const found = Object.entries(chainVariables).find(([name]) => process.env[name] === path);
  const named = found === undefined ? '' : `, which ${found[0]} names as ${found[1]}`;
  return `there are no AWS credentials: ${quote(path)} cannot be read (${systemCode})${named}`;
}

/** Node's HTTP handler of the SDK calls its own limit ETIMEDOUT. */
const faults: Readonly<Record<string, string | undefined>> = { ...networkFaults, ETIMEDOUT: undefined };

/** What keeps a request from being answered at all; undefined where it was answered. */
export function networkFault({ code, systemCode, message }: Facts, asked: FailedRequest): string | undefined {
  const { endpoint, region, requestTimeoutMs, limitMs } = asked;
  const host = endpoint ?? `AWS's endpoint of ${region}`;
  if (systemCode === 'PROXY') return message;
  if (systemCode === 'TOO_LARGE') return `${host} ${message}: what answers is not SQS`;
  const known = faults[systemCode];
  if (known !== undefined) {
    const setting = endpoint === undefined ? 'region' : 'endpoint';
    return `${host} ${known}${systemCode === 'ENOTFOUND' ? `: check the connection's ${setting}` : ''}`;
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|EPROTO/.test(systemCode)) {
    return `${host} shows a certificate that is not trusted, or speaks no TLS (${systemCode})`;
  }
  if (code === 'TimeoutError') return `${host} does not answer within ${requestTimeoutMs} ms`;
  if (code === 'OutOfTime') {
    return `there were no AWS credentials, or no whole answer, within ${limitMs} ms`;
  }
  if (code === 'AbortError') return 'the read was given up before an answer came';
  return undefined;
}
