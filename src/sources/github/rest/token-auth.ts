import type { Auth } from './auth.ts';
import { Limits } from './limits.ts';
import type { Credential } from './sender.ts';

/** A personal access token, for everything. */
export function tokenAuth(token: string): Auth {
  const credential: Credential = {
    asker: 'token',
    authorization: `token ${token.trim()}`,
    generation: 0,
    limits: new Limits(),
  };
  return {
    app: undefined,
    forOwner: () => Promise.resolve(credential),
    installationOf: () => Promise.resolve(undefined),
    learnInstallation() {},
    renew: () => false,
  };
}
