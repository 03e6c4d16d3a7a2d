import { ScalerError } from '../../../errors.ts';
import type { Auth } from './auth.ts';
import { Installations } from './installations.ts';
import { Limits } from './limits.ts';
import { readJson } from './read-json.ts';
import type { Call, Credential, Sender } from './sender.ts';
import { installationAnswer, tokenAnswer } from './shapes.ts';

/** A token is used until so long before its end, so that none ends on the way. */
const marginMs = 2 * 60_000;
/** A token that was refused this soon was never good: another would not be either. */
const freshMs = 10_000;
const maxTokens = 1_000;

interface Token extends Credential {
  readonly asker: 'installation';
  readonly issuedAtMs: number;
  /** By GitHub's clock. */
  readonly expiresAtMs: number;
}

export interface AppAuthOptions {
  readonly owner: string;
  /** Of `owner`. */
  readonly installationId: number | undefined;
}

/** A GitHub App: its key for what is the App's, and a token of an hour for each owner it is installed on. */
export class AppAuth implements Auth {
  readonly app: Credential = {
    asker: 'app',
    authorization: undefined,
    generation: 0,
    limits: new Limits(),
  };
  private readonly tokens = new Map<number, Token>();
  private readonly sender: Sender;
  private readonly installations: Installations;
  private issued = 0;

  constructor(sender: Sender, { owner, installationId: configured }: AppAuthOptions) {
    const lookUp = (of: string, signal: AbortSignal) => this.lookUp(of, signal);
    this.sender = sender;
    this.installations = new Installations({ owner, configured, lookUp, now: sender.now });
  }

  async forOwner(owner: string, signal: AbortSignal): Promise<Credential> {
    const installationId = await this.installations.idOf(owner, signal);
    const kept = this.tokens.get(installationId);
    const githubNowMs = this.sender.now() + this.sender.clockOffsetMs;
    if (kept !== undefined && githubNowMs < kept.expiresAtMs - marginMs) return kept;
    // The limits are the installation's: another token would be kept waiting too.
    kept?.limits.check(this.sender.now());
    try {
      return await this.issue(owner, installationId, kept?.limits ?? new Limits(), signal);
    } catch (reason) {
      if (isNotFound(reason)) return this.installations.gone(owner, installationId);
      throw reason;
    }
  }

  installationOf(owner: string, signal: AbortSignal): Promise<number> {
    return this.installations.idOf(owner, signal);
  }

  learnInstallation(owner: string, installationId: number): void {
    this.installations.learn(owner, installationId);
  }

  renew(credential: Credential): boolean {
    for (const [installationId, token] of this.tokens) {
      if (token !== credential) continue;
      // Its limits live on: they are the installation's.
      this.tokens.set(installationId, { ...token, expiresAtMs: 0 });
      return this.sender.now() - token.issuedAtMs > freshMs;
    }
    return false;
  }

  private async issue(owner: string, id: number, limits: Limits, signal: AbortSignal): Promise<Token> {
    const about = { what: `the App's installation on ${owner}` };
    const call: Call = {
      method: 'POST',
      operation: 'token',
      path: `/app/installations/${id}/access_tokens`,
      about,
    };
    const { answer } = await this.sender.send(call, this.app, signal);
    const { token, expires_at: expiresAtMs } = readJson(answer.text, tokenAnswer, about, this.sender.host);
    this.issued += 1;
    const credential: Token = {
      asker: 'installation',
      authorization: `token ${token}`,
      generation: this.issued,
      limits,
      issuedAtMs: this.sender.now(),
      expiresAtMs,
    };
    this.keep(id, credential);
    return credential;
  }

  private keep(installationId: number, token: Token): void {
    this.tokens.delete(installationId);
    this.tokens.set(installationId, token);
    const [oldest] = this.tokens.keys();
    if (this.tokens.size > maxTokens && oldest !== undefined) this.tokens.delete(oldest);
  }

  private async lookUp(owner: string, signal: AbortSignal): Promise<number | undefined> {
    const name = encodeURIComponent(owner);
    return (
      (await this.ask(`/orgs/${name}/installation`, owner, signal)) ??
      this.ask(`/users/${name}/installation`, owner, signal)
    );
  }

  private async ask(path: string, owner: string, signal: AbortSignal): Promise<number | undefined> {
    const about = { what: `the App's installation on ${owner}` };
    try {
      const { answer } = await this.sender.send(
        { method: 'GET', operation: 'installation', path, about },
        this.app,
        signal,
      );
      return readJson(answer.text, installationAnswer, about, this.sender.host).id;
    } catch (reason) {
      if (isNotFound(reason)) return undefined;
      throw reason;
    }
  }
}

function isNotFound(reason: unknown): boolean {
  return reason instanceof ScalerError && reason.code === 'not_found';
}
