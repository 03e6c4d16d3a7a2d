import type { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import { type Content, readJsonText } from '../../../json.ts';
import { networkFaults } from '../../../outbound/network-faults.ts';
import { type Answer, Unanswered } from '../../../outbound/send.ts';

export type { Answer };

/** Who sends the request: the App with its key, the App's installation on an owner, or the bearer of a token. */
export type Asker = 'app' | 'installation' | 'token';

/** The object of a request, for messages. */
export interface About {
  /** Such as `the runs of acme/shop`. */
  readonly what: string;
  /** The necessary permission, by its name in GitHub's settings. */
  readonly permission?: string;
  /** What to check if it is not found. */
  readonly missing?: string;
}

/** The error for an answer that is not a success. `pauseMs` is how long it told us to stay away. Total. */
export function refusal(
  answer: Answer,
  about: About,
  asker: Asker,
  apiUrl: URL,
  pauseMs?: number,
): ScalerError {
  const error = refused(answer, about, asker, apiUrl, pauseMs);
  statuses.set(error, answer.status);
  return error;
}

const statuses = new WeakMap<Error, number>();

/** The status with which GitHub refused. Undefined for other errors. */
export function statusOf(reason: unknown): number | undefined {
  return reason instanceof ScalerError ? statuses.get(reason) : undefined;
}

function refused(
  answer: Answer,
  about: About,
  asker: Asker,
  { host, pathname }: URL,
  pauseMs?: number,
): ScalerError {
  const { status } = answer;
  const word = said(answer);
  const why = word === '' ? '' : ` (it says: ${word})`;
  if (pauseMs !== undefined && (status === 403 || status === 429)) return limited(pauseMs);
  if (status === 401 || isUnknownApp(answer, asker))
    return unavailable(`GitHub (${host}) ${unauthorized[asker]}${why}`);
  if (status === 403) return unavailable(`GitHub (${host}) ${forbidden(answer, about, asker)}${why}`);
  // The REST API's own 404 is always JSON. This comes from another server.
  if (status === 404 && !isJson(answer)) return unavailable(`GitHub (${host}) ${otherServer}`);
  if (status === 404) {
    const known = about.missing ?? 'check its name, and that the scaler may see it';
    const check = isUsualAddress(host, pathname) ? known : `${known}; and that ${apiAddress}`;
    return new ScalerError('not_found', `GitHub (${host}) does not know ${about.what}: ${check}`);
  }
  // GitHub has blocked the repository (DMCA). Nothing can run in it.
  if (status === 451) return new ScalerError('not_found', `GitHub (${host}) has blocked ${about.what}${why}`);
  if (status >= 500) {
    const text = `GitHub (${host}) answers ${status} for ${about.what}: it has a fault, or a proxy before it${why}`;
    return unavailable(text, pauseMs);
  }
  return unavailable(`GitHub (${host}) answers ${status} for ${about.what}${why}`, pauseMs);
}

const apiAddress =
  "the connection's `apiUrl` is the REST API: with GitHub Enterprise Server https://HOST/api/v3";
const otherServer = `answers with a page, not as its REST API does: check that ${apiAddress}`;

function isUsualAddress(host: string, pathname: string): boolean {
  return host.startsWith('api.') || /\/api\/v3\/?$/.test(pathname);
}

function isJson({ text }: Pick<Answer, 'text'>): boolean {
  return text.trimStart().startsWith('{');
}

/** The error of a call that a limit prevents. */
export function limited(retryAfterMs: number): ScalerError {
  const seconds = Math.ceil(retryAfterMs / 1000);
  return unavailable(`GitHub's rate limit is reached: it wants no request for ${seconds} s`, retryAfterMs);
}

/** GitHub answers 404 to a JWT of an unknown App. */
function isUnknownApp(answer: Answer, asker: Asker): boolean {
  return asker === 'app' && answer.status === 404 && /^integration\b/i.test(said(answer));
}

const unauthorized: Readonly<Record<Asker, string>> = {
  app: "refuses the App's key: check the connection's `app.id`, and that `app.privateKeyFile` is a key of this App",
  installation: "no longer takes the token of the App's installation; a new one is requested next time",
  token: 'refuses the token: has it expired or been revoked? Put a new one into `tokenFile`',
};

function forbidden(answer: Answer, { what, permission }: About, asker: Asker): string {
  if (/suspended/i.test(said(answer))) {
    return `has suspended the App's installation: unsuspend it in the owner's settings`;
  }
  if (asker === 'app') return `refuses ${what}`;
  const needed = permission ?? answer.headers.get('x-accepted-github-permissions') ?? 'Metadata: read';
  const grant =
    asker === 'token'
      ? `give the token the repository permission "${needed}" (a classic one the scope \`repo\`)`
      : `grant the App the permission "${needed}", and have the owner accept it`;
  return `does not let the scaler read ${what}: ${grant}`;
}

const faults: Readonly<Record<string, string>> = {
  ...networkFaults,
  ECONNREFUSED: "refuses the connection: check the connection's `apiUrl`",
  ENOTFOUND: `${networkFaults.ENOTFOUND}: check the connection's \`apiUrl\`, and DNS`,
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a TLS certificate for another host name: check `apiUrl`',
  CERT_HAS_EXPIRED: 'shows a TLS certificate that has expired',
};
const ownFaults = ['CANCELLED', 'PROXY'];
const unknownAuthority =
  'shows a TLS certificate of an unknown authority: set NODE_EXTRA_CA_CERTS to a PEM file of it';

/** The error of a request without an answer. Total. */
export function unreachable(reason: unknown, host: string): ScalerError {
  if (reason instanceof ScalerError) return reason;
  if (reason instanceof Unanswered && ownFaults.includes(reason.code)) {
    return unavailable(`GitHub (${host}) ${reason.message}`);
  }
  const code = codeOf(reason);
  const fault = faults[code] ?? (/SELF_SIGNED|UNABLE_TO/.test(code) ? unknownAuthority : undefined);
  if (fault !== undefined) return unavailable(`GitHub (${host}) ${fault}`);
  return unavailable(`GitHub (${host}) cannot be asked${code === '' ? '' : `: ${code}`}`);
}

/** The content of an answer. Throws ScalerError `unavailable` if it does not fit the schema. */
export function readJson<T>(text: string, schema: z.ZodType<T>, { what }: About, host: string): T {
  const read = jsonOf(text);
  const parsed = schema.safeParse('value' in read ? read.value : undefined);
  if (parsed.success) return parsed.data;
  // A login page: a proxy's, or that of a GitHub Enterprise Server beside its API.
  const isPage = text.trimStart().startsWith('<');
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  const documented = 'value' in read ? `is not what the REST API documents${where}` : read.fault;
  const other = text === '' ? 'it is empty' : `it ${documented}`;
  const fault = isPage ? `it is a page; check that ${apiAddress}` : other;
  throw unavailable(`GitHub (${host}) gives an unexpected answer for ${what}: ${fault}`);
}

/** A page of 100 jobs with all their steps has some 30,000. */
const maxValues = 1_000_000;

function jsonOf(text: string): Content {
  return readJsonText(text, maxValues);
}

const shownLength = 200;
/** GitHub's tokens by their prefixes, and JWTs. A proxy's answer may repeat what we have sent. */
const secrets = /\b(gh[a-z]_|github_pat_|eyJ)[\w.-]+/g;

/** GitHub's own reason for a refusal, fit for a message: short, one line, no token. '' without one. */
export function said({ text }: Pick<Answer, 'text'>): string {
  const read = jsonOf(text);
  const body = 'value' in read ? read.value : undefined;
  // A proxy's page is not GitHub's reason.
  if (typeof body !== 'object' || body === null || !('message' in body)) return '';
  const message = typeof body.message === 'string' ? body.message : '';
  return message.replace(secrets, '…').replace(/\s+/g, ' ').trim().slice(0, shownLength);
}

export function isNotFound(reason: unknown): boolean {
  return reason instanceof ScalerError && reason.code === 'not_found';
}

/** `fetch failed` has the real error as its cause. */
function codeOf(reason: unknown): string {
  let error = reason;
  for (let depth = 0; depth < 5 && error instanceof Error; depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    error = error.cause;
  }
  return '';
}

/** Without a cause, which might hold the whole request. */
function unavailable(message: string, retryAfterMs?: number): ScalerError {
  return new ScalerError('unavailable', message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
