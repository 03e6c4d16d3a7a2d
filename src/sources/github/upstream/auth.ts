import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import { type About, isNotFound, readJson } from './errors.ts';
import { Limits } from './limits.ts';
import type { Call, Credential, Wire } from './wire.ts';

/** Our identity towards GitHub. Its methods may send requests, so call them only in turn. */
export interface Auth {
  /** For requests about repositories of `owner`. Throws ScalerError. */
  forOwner(owner: string, signal: AbortSignal): Promise<Credential>;
  /** For requests that only an App may send. Undefined without an App. */
  readonly app: Credential | undefined;
  /** The App's installation on an owner. It may take a request. Undefined without an App. */
  installationOf(owner: string, signal: AbortSignal): Promise<number | undefined>;
  learnInstallation(owner: string, installationId: number): void;
  /** GitHub refused (401) the credential of `forOwner`. Returns whether another try is worth it, with a new token. */
  renew(credential: Credential): boolean;
}

/** A personal access token, for everything. */
export function tokenAuth(token: string): Auth {
  const authorization = `token ${token.trim()}`;
  const limits = new Limits();
  const credential: Credential = {
    asker: 'token',
    authorization: () => authorization,
    generation: 0,
    limits,
  };
  return {
    app: undefined,
    forOwner: () => Promise.resolve(credential),
    installationOf: () => Promise.resolve(undefined),
    learnInstallation() {},
    renew: () => false,
  };
}

/** How long before its end a token is no longer used, so that none expires on the way. */
const marginMs = 2 * 60_000;
/** A token refused this early was never good. Another would not be either. */
const freshMs = 10_000;
/** An enterprise has hundreds of organizations, hardly more. */
const maxOwners = 1_000;
/** How long an owner without the App is not checked again. */
const missingMs = 60_000;

interface Token extends Credential {
  readonly asker: 'installation';
  readonly issuedAtMs: number;
  /** By GitHub's clock. */
  readonly expiresAtMs: number;
}

export interface AppAuthOptions {
  /** The App's number, or its client ID. */
  readonly id: number | string;
  /** PEM. */
  readonly privateKey: string;
  readonly owner: string;
  /** The configured installation on `owner`. */
  readonly installationId: number | undefined;
}

/**
 * A GitHub App. It has a key for the App's own requests, and an hourly token for each owner it is installed on. An
 * owner's installation is the configured one. Without it, a webhook or GitHub names it.
 */
export class AppAuth implements Auth {
  readonly app: Credential;
  private readonly wire: Wire;
  private readonly options: AppAuthOptions;
  /** By installation. */
  private readonly tokens = new LRUCache<number, Token>({ max: maxOwners });
  /** By owner, lower case. */
  private readonly installations = new LRUCache<string, number>({ max: maxOwners });
  /** Why an owner's installation cannot be used. */
  private readonly refused: LRUCache<string, ScalerError>;
  private issued = 0;

  constructor(wire: Wire, options: AppAuthOptions) {
    const key = createPrivateKey(options.privateKey);
    const perf = { now: () => wire.now() };
    this.wire = wire;
    this.options = options;
    this.refused = new LRUCache({ max: maxOwners, ttl: missingMs, ttlResolution: 0, perf });
    this.app = {
      asker: 'app',
      authorization: (githubNowMs) => `bearer ${webToken(options.id, key, githubNowMs)}`,
      generation: 0,
      limits: new Limits(),
    };
  }

  async forOwner(owner: string, signal: AbortSignal): Promise<Credential> {
    const installationId = await this.installationOf(owner, signal);
    const kept = this.tokens.get(installationId);
    const githubNowMs = this.wire.now() + this.wire.clockOffsetMs;
    if (kept !== undefined && githubNowMs < kept.expiresAtMs - marginMs) return kept;
    // The limits belong to the installation, so another token would have to wait too.
    kept?.limits.check(this.wire.now());
    try {
      if (this.isConfigured(owner)) await this.checkOwner(owner, installationId, signal);
      return await this.issue(owner, installationId, kept?.limits ?? new Limits(), signal);
    } catch (reason) {
      if (isNotFound(reason)) throw this.gone(owner, installationId);
      throw reason;
    }
  }

  /** Throws ScalerError `unavailable`, not `not_found`: without the App nothing is known about the owner. */
  async installationOf(owner: string, signal: AbortSignal): Promise<number> {
    const key = owner.toLowerCase();
    const refused = this.refused.get(key);
    if (refused !== undefined) throw refused;
    const { installationId } = this.options;
    if (installationId !== undefined && this.isConfigured(owner)) return installationId;
    const known = this.installations.get(key);
    if (known !== undefined) return known;
    const name = encodeURIComponent(owner);
    const found =
      (await this.look(`/orgs/${name}/installation`, owner, signal)) ??
      (await this.look(`/users/${name}/installation`, owner, signal));
    if (found === undefined) throw this.refuse(owner, notInstalled(owner));
    this.installations.set(key, found.id);
    return found.id;
  }

  learnInstallation(owner: string, installationId: number): void {
    const key = owner.toLowerCase();
    if (!this.isConfigured(owner)) this.refused.delete(key);
    this.installations.set(key, installationId);
  }

  renew(credential: Credential): boolean {
    for (const [installationId, token] of this.tokens.entries()) {
      if (token !== credential) continue;
      // The limits stay, since they belong to the installation.
      this.tokens.set(installationId, { ...token, expiresAtMs: 0 });
      return this.wire.now() - token.issuedAtMs > freshMs;
    }
    return false;
  }

  private isConfigured(owner: string): boolean {
    const { installationId, owner: own } = this.options;
    return installationId !== undefined && owner.toLowerCase() === own.toLowerCase();
  }

  /** Done for each new token. An installation of another owner would list none of this owner's repositories. */
  private async checkOwner(owner: string, installationId: number, signal: AbortSignal): Promise<void> {
    const found = await this.look(`/app/installations/${installationId}`, owner, signal);
    if (found === undefined) throw this.gone(owner, installationId);
    const of = found.account?.login ?? found.account?.slug;
    if (of === undefined || of.toLowerCase() === owner.toLowerCase()) return;
    throw this.refuse(
      owner,
      unusable(
        `\`app.installationId\` ${installationId} is the App's installation on ${of}, not on the connection's \`owner\` ${owner}: correct one of them, or leave \`app.installationId\` out`,
      ),
    );
  }

  private async issue(owner: string, id: number, limits: Limits, signal: AbortSignal): Promise<Token> {
    const about = aboutInstallation(owner);
    const path = `/app/installations/${id}/access_tokens`;
    const call: Call = { method: 'POST', operation: 'token', path, about };
    const { answer } = await this.wire.send(call, this.app, signal);
    const { token, expires_at: expiresAtMs } = readJson(answer.text, tokenAnswer, about, this.wire.host);
    this.issued += 1;
    const authorization = `token ${token}`;
    const credential: Token = {
      asker: 'installation',
      authorization: () => authorization,
      generation: this.issued,
      limits,
      issuedAtMs: this.wire.now(),
      expiresAtMs,
    };
    this.tokens.set(id, credential);
    return credential;
  }

  private async look(path: string, owner: string, signal: AbortSignal): Promise<Installation | undefined> {
    const about = aboutInstallation(owner);
    try {
      const call: Call = { method: 'GET', operation: 'installation', path, about };
      const { answer } = await this.wire.send(call, this.app, signal);
      return readJson(answer.text, installationAnswer, about, this.wire.host);
    } catch (reason) {
      if (isNotFound(reason)) return undefined;
      throw reason;
    }
  }

  /** GitHub no longer knows the installation. */
  private gone(owner: string, installationId: number): ScalerError {
    const key = owner.toLowerCase();
    if (this.installations.get(key) === installationId) this.installations.delete(key);
    if (!this.isConfigured(owner)) return notInstalled(owner);
    return unusable(
      `the App has no installation ${installationId}: check the connection's \`app.installationId\`, or leave it out`,
    );
  }

  private refuse(owner: string, error: ScalerError): ScalerError {
    this.refused.set(owner.toLowerCase(), error);
    return error;
  }
}

/** GitHub refuses a key that was signed for more than ten minutes, or in the future. */
const signedBeforeMs = 30_000;
const signedForMs = 9 * 60_000;

/** A JSON Web Token of the App (docs.github.com, "Generating a JSON web token for a GitHub App"). */
function webToken(id: number | string, key: KeyObject, githubNowMs: number): string {
  const seconds = (atMs: number): number => Math.floor(atMs / 1000);
  const claims = {
    iat: seconds(githubNowMs - signedBeforeMs),
    exp: seconds(githubNowMs + signedForMs),
    iss: String(id),
  };
  const encoded = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const text = encoded.join('.');
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

function aboutInstallation(owner: string): About {
  return { what: `the App's installation on ${owner}` };
}

function notInstalled(owner: string): ScalerError {
  return unusable(`the App is not installed on ${owner}: install it there`);
}

function unusable(message: string): ScalerError {
  return new ScalerError('unavailable', message);
}

/** An enterprise has a slug. An organization or user has a login. */
const account = z.object({ login: z.string().optional(), slug: z.string().optional() });
const installationAnswer = z.object({
  id: z.int().positive(),
  account: account.nullish().catch(undefined),
});
type Installation = z.infer<typeof installationAnswer>;

const tokenAnswer = z.object({
  token: z.string().min(1),
  expires_at: z.string().transform((text) => Date.parse(text) || 0),
});
