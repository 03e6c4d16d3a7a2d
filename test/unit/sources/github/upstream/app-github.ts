import { createVerify } from 'node:crypto';
import type { Reply, Script, Seen } from './scripted-github.ts';
import { appKey, clock, startMs } from './setup.ts';

export interface AppGitHub {
  /** GitHub's clock minus the test's, in ms. */
  skewMs: number;
  /** The test's clock. */
  now: () => number;
  /** Installation by owner. */
  installations: Map<string, number>;
  /** The owners that are users. The others are organizations. */
  users: Set<string>;
  /** How many tokens were issued. */
  issued: number;
  /** Tokens that are no longer accepted. */
  revoked: Set<string>;
  tokenReply?: Reply;
  script: Script;
}

/** The part of GitHub where Apps log in. It verifies JWTs by GitHub's own rules and words, and issues tokens. */
export function appGitHub(rest: Script, given: Partial<AppGitHub> = {}): AppGitHub {
  const state: AppGitHub = {
    skewMs: 0,
    now: () => clock.nowMs,
    installations: new Map([['acme', 11]]),
    users: new Set(),
    issued: 0,
    revoked: new Set(),
    script: (seen) => answer(seen),
    ...given,
  };

  function answer(seen: Seen): Reply {
    const { path, headers } = seen;
    const githubNowMs = state.now() + state.skewMs;
    const date = { date: new Date(githubNowMs).toUTCString() };
    const lookup = /^\/(orgs|users)\/([^/]+)\/installation$/.exec(path);
    if (lookup !== null || path.startsWith('/app/')) {
      const fault = jwtFault(headers.authorization, githubNowMs);
      if (fault !== undefined) return { status: 401, headers: date, body: { message: fault } };
    }
    if (lookup !== null) {
      const [, kind, owner = ''] = lookup;
      const id = state.installations.get(owner);
      const found = id !== undefined && state.users.has(owner) === (kind === 'users');
      return found
        ? { headers: date, body: { id } }
        : { status: 404, headers: date, body: { message: 'Not Found' } };
    }
    const named = /^\/app\/installations\/(\d+)$/.exec(path)?.[1];
    if (named !== undefined) return account(Number(named), date);
    const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path)?.[1];
    if (installation !== undefined) return state.tokenReply ?? issue(Number(installation));
    const given = /^token (ghs_\w+)$/.exec(headers.authorization ?? '')?.[1];
    const usable = given !== undefined && !state.revoked.has(given);
    if (usable || path.startsWith('/app/')) return rest(seen);
    return { status: 401, body: { message: 'Bad credentials' } };
  }

  function account(id: number, headers: Record<string, string>): Reply {
    const [login] = [...state.installations].find(([, of]) => of === id) ?? [];
    if (login === undefined) return { status: 404, headers, body: { message: 'Not Found' } };
    return { headers, body: { id, account: { login } } };
  }

  function issue(installation: number): Reply {
    if (![...state.installations.values()].includes(installation)) return { status: 404, body: {} };
    state.issued += 1;
    const expires_at = new Date(startMs + state.issued * 3_600_000).toISOString();
    return { status: 201, body: { token: `ghs_${installation}n${state.issued}`, expires_at } };
  }

  return state;
}

/** GitHub's words about a JWT that it refuses. */
function jwtFault(authorization: string | undefined, githubNowMs: number): string | undefined {
  const [header = '', payload = '', signature = ''] = (authorization ?? '')
    .replace(/^bearer /i, '')
    .split('.');
  const verify = createVerify('RSA-SHA256').update(`${header}.${payload}`);
  if (!verify.verify(appKey.publicKey, signature, 'base64url'))
    return 'A JSON web token could not be decoded';
  const claims: { iat: number; exp: number } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  if (claims.iat * 1000 > githubNowMs + 60_000) {
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  }
  if (claims.exp * 1000 > githubNowMs + 10 * 60_000) {
    return "'Expiration time' claim ('exp') is too far in the future";
  }
  if (claims.exp * 1000 < githubNowMs) {
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  }
  return undefined;
}
