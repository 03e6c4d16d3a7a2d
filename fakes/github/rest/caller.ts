import type { AppAuth } from '../app-auth.ts';
import type { Owner, Repo } from '../world/owner.ts';
import type { World } from '../world/world.ts';
import { type Answer, badCredentials, refusal } from './answer.ts';

/** The caller, by the credential of the request. */
export interface Caller {
  readonly kind: 'app' | 'installation' | 'token';
  /** The name that GitHub's message about a limit uses. Limits are counted by it. */
  readonly name: string;
  readonly credential: string;
  /** For an installation: the only owner it may see. */
  readonly owner: Owner | undefined;
}

interface Known {
  readonly world: World;
  readonly appAuth: AppAuth | undefined;
  readonly token: string | undefined;
}

/** The caller, or the refusal. As at GitHub, dots mark a JSON Web Token. */
export function callerOf(authorization: string | undefined, known: Known): Caller | Answer {
  if (authorization === undefined) return refusal(401, 'Requires authentication');
  const credential = authorization.replace(/^(bearer|token)\s+/i, '');
  const nowMs = known.world.now();
  if (credential.split('.').length === 3) return appOf(credential, known.appAuth, nowMs);
  if (known.token !== undefined && credential === known.token)
    return { kind: 'token', name: 'user ID 1', credential, owner: undefined };
  const installationId = known.appAuth?.installationOf(credential, nowMs);
  const owner = installationId === undefined ? undefined : known.world.installation(installationId);
  if (owner === undefined) return badCredentials;
  return { kind: 'installation', name: `installation ID ${installationId}`, credential, owner };
}

function appOf(jwt: string, appAuth: AppAuth | undefined, nowMs: number): Caller | Answer {
  if (appAuth === undefined) return refusal(404, 'Integration not found');
  const fault = appAuth.faultOf(jwt, nowMs);
  if (fault === undefined)
    return { kind: 'app', name: `app ID ${appAuth.app.id}`, credential: jwt, owner: undefined };
  return refusal(fault === 'Integration not found' ? 404 : 401, fault);
}

export function maySee(caller: Caller, repo: Repo): boolean {
  return caller.kind === 'token' || caller.owner === repo.owner;
}
