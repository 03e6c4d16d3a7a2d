import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto';

/** GitHub accepts a JWT that expires within ten minutes (docs.github.com, "Generating a JSON Web Token"). */
const longestLifeSeconds = 600;
const tokenLifeMs = 3_600_000;

export interface AppOptions {
  readonly id: number;
  /** The App may use this instead of its number. */
  readonly clientId?: string;
  /** PEM. Without either key, a pair is generated. */
  readonly privateKey?: string;
  readonly publicKey?: string;
  readonly installationId: number;
}

/** The App as its owner sees it. */
export interface App {
  readonly id: number;
  readonly installationId: number;
  /** PEM. Undefined if only the public key was given. */
  readonly privateKey: string | undefined;
}

interface InstallationToken {
  readonly installationId: number;
  readonly expiresAtMs: number;
}

/** Verifies the App's JSON Web Tokens, and remembers the installation tokens it issued for them. */
export class AppAuth {
  readonly app: App;
  private readonly clientId: string | undefined;
  private readonly publicKey: KeyObject;
  private readonly tokens = new Map<string, InstallationToken>();

  constructor({ id, clientId, installationId, privateKey, publicKey }: AppOptions) {
    this.clientId = clientId;
    const secret = privateKey ?? (publicKey === undefined ? rsaPair() : undefined);
    this.app = { id, installationId, privateKey: secret };
    this.publicKey = createPublicKey(publicKey ?? secret ?? '');
  }

  /** What is wrong with a JWT, in GitHub's words. Undefined if nothing is. `nowMs` is GitHub's clock. */
  faultOf(jwt: string, nowMs: number): string | undefined {
    const claims = this.claimsOf(jwt);
    if (claims === undefined) return 'A JSON web token could not be decoded';
    const nowSeconds = nowMs / 1000;
    const { iat, exp, iss } = claims;
    if (String(iss) !== String(this.app.id) && iss !== this.clientId) return 'Integration not found';
    if (typeof iat !== 'number' || iat > nowSeconds)
      return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
    if (typeof exp !== 'number' || exp <= nowSeconds)
      return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
    if (exp > nowSeconds + longestLifeSeconds)
      return "'Expiration time' claim ('exp') is too far in the future";
    return undefined;
  }

  issue(installationId: number, nowMs: number): { token: string; expiresAtMs: number } {
    for (const [token, { expiresAtMs }] of this.tokens) if (expiresAtMs <= nowMs) this.tokens.delete(token);
    const token = `ghs_${randomBytes(18).toString('hex')}`;
    const expiresAtMs = nowMs + tokenLifeMs;
    this.tokens.set(token, { installationId, expiresAtMs });
    return { token, expiresAtMs };
  }

  /** The installation of a token. Undefined if the token is unknown or has expired. */
  installationOf(token: string, nowMs: number): number | undefined {
    const known = this.tokens.get(token);
    return known === undefined || known.expiresAtMs <= nowMs ? undefined : known.installationId;
  }

  /** Every token becomes invalid. */
  revokeAll(): void {
    this.tokens.clear();
  }

  private claimsOf(jwt: string): Record<string, unknown> | undefined {
    const [head = '', body = '', signature = ''] = jwt.split('.');
    const header = decoded(head);
    if (header?.['alg'] !== 'RS256') return undefined;
    const signed = Buffer.from(`${head}.${body}`);
    if (!verify('RSA-SHA256', signed, this.publicKey, Buffer.from(signature, 'base64url'))) return undefined;
    return decoded(body);
  }
}

let made: string | undefined;

/** One pair for the whole process: generating one takes a third of a second. */
function rsaPair(): string {
  made ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey;
  return made;
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
