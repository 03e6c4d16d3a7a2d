import { ScalerError } from '../../../errors.ts';
import type { Answer } from './exchange.ts';
import { limited } from './limits.ts';
import { said } from './said.ts';

/** Who asks: the App by its key, the App by its installation on an owner, or the bearer of a token. */
export type Asker = 'app' | 'installation' | 'token';

/** What is asked for, in the words of a message. */
export interface About {
  /** Such as `the runs of acme/shop`. */
  readonly what: string;
  /** The permission it takes, as GitHub's settings call it. */
  readonly permission?: string;
  /** What to check when it is not there. */
  readonly missing?: string;
}

/** The error of an answer that is no success. `pauseMs`: for how long it told us to stay away. Total. */
export function refusal(
  answer: Answer,
  about: About,
  asker: Asker,
  host: string,
  pauseMs?: number,
): ScalerError {
  const { status } = answer;
  const word = said(answer);
  const why = word === '' ? '' : ` (it says: ${word})`;
  if (pauseMs !== undefined && (status === 403 || status === 429)) return limited(pauseMs);
  if (status === 401 || isUnknownApp(answer, asker))
    return unavailable(`GitHub (${host}) ${unauthorized[asker]}${why}`);
  if (status === 403) return unavailable(`GitHub (${host}) ${forbidden(answer, about, asker)}${why}`);
  if (status === 404) {
    const check = about.missing ?? 'check its name, and that we may see it';
    return new ScalerError('not_found', `GitHub (${host}) does not know ${about.what}: ${check}`);
  }
  // A repository that GitHub has blocked (DMCA): nothing can run in it.
  if (status === 451) return new ScalerError('not_found', `GitHub (${host}) has blocked ${about.what}${why}`);
  if (status >= 500) {
    const text = `GitHub (${host}) answers ${status} for ${about.what}: it has a fault, or a proxy before it${why}`;
    return unavailable(text, pauseMs);
  }
  return unavailable(`GitHub (${host}) answers ${status} for ${about.what}${why}`, pauseMs);
}

/** GitHub answers 404 to a JWT of an App that it does not know. */
function isUnknownApp(answer: Answer, asker: Asker): boolean {
  return asker === 'app' && answer.status === 404 && /^integration\b/i.test(said(answer));
}

const unauthorized: Readonly<Record<Asker, string>> = {
  app: "refuses the App's key: check the connection's `app.id`, and that `app.privateKeyFile` is a key of this App",
  installation: "no longer takes the token of the App's installation; a new one is asked for next time",
  token: 'refuses our token: has it expired or been revoked? Put a new one into `tokenFile`',
};

function forbidden(answer: Answer, { what, permission }: About, asker: Asker): string {
  if (/suspended/i.test(said(answer))) {
    return `has suspended the App's installation: unsuspend it in the owner's settings`;
  }
  if (asker === 'app') return `refuses us ${what}`;
  const needed = permission ?? answer.headers.get('x-accepted-github-permissions') ?? 'Metadata: read';
  const grant =
    asker === 'token'
      ? `give the token the repository permission "${needed}" (a classic one the scope \`repo\`)`
      : `grant the App the permission "${needed}", and have the owner accept it`;
  return `does not let us read ${what}: ${grant}`;
}

const networkFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses the connection: check the connection's `apiUrl`",
  ENOTFOUND: "has a host name that does not exist: check the connection's `apiUrl`, and DNS",
  EAI_AGAIN: 'has a host name that cannot be resolved now: check DNS',
  ECONNRESET: 'broke the connection off',
  EPIPE: 'broke the connection off',
  UND_ERR_SOCKET: 'broke the connection off',
  EHOSTUNREACH: 'cannot be reached: no route to its host',
  ENETUNREACH: 'cannot be reached: no route to its network',
  ETIMEDOUT: 'does not answer: its host is gone or drops our packets',
  UND_ERR_CONNECT_TIMEOUT: 'does not answer: its host is gone or drops our packets',
  UND_ERR_HEADERS_TIMEOUT: 'does not answer in time',
  UND_ERR_BODY_TIMEOUT: 'stopped in the middle of an answer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a TLS certificate for another host name: check `apiUrl`',
  CERT_HAS_EXPIRED: 'shows a TLS certificate that has expired',
};
const unknownAuthority =
  'shows a TLS certificate of an authority we do not know: set NODE_EXTRA_CA_CERTS to a PEM file of it';

/** The error of a request without an answer. Total. */
export function unreachable(reason: unknown, host: string): ScalerError {
  if (reason instanceof ScalerError) return reason;
  const code = codeOf(reason);
  const fault = networkFaults[code] ?? (/SELF_SIGNED|UNABLE_TO/.test(code) ? unknownAuthority : undefined);
  if (fault !== undefined) return unavailable(`GitHub (${host}) ${fault}`);
  return unavailable(`GitHub (${host}) cannot be asked${code === '' ? '' : `: ${code}`}`);
}

/** The error of an answer that is not what GitHub's documentation says. */
export function unreadable(about: About, host: string, fault: string): ScalerError {
  return unavailable(`GitHub (${host}) answers what we cannot read for ${about.what}: ${fault}`);
}

/** `fetch failed` has the real error as its cause; so has what octokit makes of it. */
function codeOf(reason: unknown): string {
  let error = reason;
  for (let depth = 0; depth < 5 && error instanceof Error; depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    error = error.cause;
  }
  return '';
}

/** No cause is kept: octokit's errors hold the whole request. */
function unavailable(message: string, retryAfterMs?: number): ScalerError {
  return new ScalerError('unavailable', message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
