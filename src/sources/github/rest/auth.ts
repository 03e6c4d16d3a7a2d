import { Limits } from './limits.ts';
import type { Credential } from './sender.ts';

/** Who we are towards GitHub. Its methods may send requests, so they are called when it is our turn to send. */
export interface Auth {
  /** For the repositories of `owner`. Throws ScalerError. */
  forOwner(owner: string, signal: AbortSignal): Promise<Credential>;
  /** For what only an App may ask; undefined without one. */
  readonly app: Credential | undefined;
  /** The App's installation on an owner, asked for where need be; undefined without an App. */
  installationOf(owner: string, signal: AbortSignal): Promise<number | undefined>;
  learnInstallation(owner: string, installationId: number): void;
  /** GitHub has refused (401) what `forOwner` gave. Whether another try is worth it, with a new token. */
  renew(credential: Credential): boolean;
}

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
