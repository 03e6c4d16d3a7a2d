import { z } from 'zod';
import { fromJson, ScalerError } from '../../../../errors.ts';
import { type Answer, send, Unanswered } from '../../../../outbound/send.ts';

/** A current bearer token. Rejects with ScalerError. Called at each login, so it caches. */
export interface TokenProvider {
  (): Promise<string>;
  /** A broker has refused the token: its issuer may have ended it early, or changed its keys. */
  refused?(token: string): void;
}

export interface IssuedToken {
  readonly value: string;
  /** How long to use it, in ms: the caller leaves its own margin to the expiry. */
  readonly usableMs: number;
}

/** A token that is refused so soon was never good, and neither would another be. */
const freshMs = 10_000;

/**
 * Keeps a token while it is usable and no broker refuses it. Those who ask while one is being issued share it; a failure
 * is not kept.
 */
export function cachedToken(issue: () => Promise<IssuedToken>): TokenProvider {
  let value = '';
  let issuedAtMs = Number.NEGATIVE_INFINITY;
  let usableUntilMs = Number.NEGATIVE_INFINITY;
  let issuing: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const issued = await issue();
    value = issued.value;
    issuedAtMs = performance.now();
    usableUntilMs = issuedAtMs + issued.usableMs;
    return value;
  }

  function token(): Promise<string> {
    if (performance.now() < usableUntilMs) return Promise.resolve(value);
    issuing ??= renew().finally(() => {
      issuing = undefined;
    });
    return issuing;
  }

  function refused(one: string): void {
    if (one === value && performance.now() - issuedAtMs > freshMs) usableUntilMs = Number.NEGATIVE_INFINITY;
  }

  return Object.assign(token, { refused });
}

export interface OAuthTokenOptions {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
  /** Scopes, separated by spaces. */
  scope?: string;
  /** How the client says who it is (RFC 6749 §2.3.1). Servers must take `basic`; some take only `body`. */
  clientAuthentication?: 'basic' | 'body';
  /** The longest the endpoint may take; 10 s. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;
/** The part of a token's life it is used for, so that a broker never sees one that ends while it looks. */
const usablePart = 0.8;
/** For an endpoint that does not say when its token ends (RFC 6749 §5.1 only recommends it). */
const unknownLifetimeSeconds = 60;
const maxAnswerBytes = 256 * 1024;

/** RFC 6749 §5.1. Some servers give the lifetime as text. */
const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional(),
});

/**
 * Tokens by OAuth 2.0 client credentials (RFC 6749 §4.4), kept for 80 % of their life; one request at a time.
 * Rejects with ScalerError `unavailable` that says what the endpoint answered, never a secret.
 */
export function oauthToken(options: OAuthTokenOptions): TokenProvider {
  return cachedToken(() => requestToken(options));
}

async function requestToken(options: OAuthTokenOptions): Promise<IssuedToken> {
  const { status, text } = await post(options);
  if (status < 200 || status > 299) throw tokenError(options, `answers HTTP ${status}${oauthCode(text)}`);
  const parsed = tokenAnswer.safeParse(fromJson(text));
  if (!parsed.success) throw tokenError(options, 'answers without a usable `access_token`');
  const { access_token: value, expires_in: lifetimeSeconds = unknownLifetimeSeconds } = parsed.data;
  return { value, usableMs: lifetimeSeconds * 1000 * usablePart };
}

async function post(options: OAuthTokenOptions): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (options.scope !== undefined) form.set('scope', options.scope);
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  if (options.clientAuthentication === 'body') {
    form.set('client_id', options.clientId);
    form.set('client_secret', options.clientSecret);
  } else {
    headers['authorization'] = basic(options);
  }
  try {
    return await send(options.tokenEndpoint, {
      method: 'POST',
      headers,
      body: form.toString(),
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      maxBytes: maxAnswerBytes,
    });
  } catch (reason) {
    throw tokenError(options, reason instanceof Unanswered ? reason.message : 'cannot be reached', reason);
  }
}

/** Name and secret are form-encoded before they are joined (RFC 6749 §2.3.1). */
function basic({ clientId, clientSecret }: OAuthTokenOptions): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`;
}

/** The `error` of RFC 6749 §5.2, if it is one of its words; the rest of the body may hold anything. */
function oauthCode(body: string): string {
  const parsed = z.object({ error: z.string().regex(/^[a-z_]{1,64}$/) }).safeParse(fromJson(body));
  return parsed.success ? ` ${parsed.data.error}` : '';
}

function tokenError({ tokenEndpoint }: OAuthTokenOptions, text: string, cause?: unknown): ScalerError {
  const where = URL.canParse(tokenEndpoint) ? new URL(tokenEndpoint).host : 'its address';
  const message = `the OAuth token endpoint at ${where} ${text}: check the connection's \`sasl\``;
  return new ScalerError('unavailable', message, cause === undefined ? {} : { cause });
}

/** A token is used until this long before it ends; MSK's live 15 minutes, or as long as the credentials. */
const marginMs = 60_000;
/** Of STS, where the chain asks it. */
const stsTimeoutMs = 5_000;
/** The AWS default chain may ask services of the pod or of AWS, and has no limit of its own for all of them. */
const credentialsTimeoutMs = 10_000;

/**
 * Tokens for AWS MSK's IAM listener, which is OAUTHBEARER on the wire. Credentials come from the AWS default
 * chain; signing itself needs no network. Rejects with ScalerError `unavailable`, without a secret.
 */
export function mskIamToken({ region }: { region: string }): TokenProvider {
  return cachedToken(async () => {
    try {
      const { token, expiryTime } = await withinTime(sign(region));
      return { value: token, usableMs: expiryTime - Date.now() - marginMs };
    } catch (reason) {
      const name = reason instanceof Error ? reason.name : 'Error';
      throw new ScalerError(
        'unavailable',
        `no AWS credentials to sign the login to MSK in ${region} with (${name}): check the pod's role or environment`,
        { cause: reason },
      );
    }
  });
}

/** With a chain of our own, which asks STS as all of ours is asked. Half of the AWS SDK: only who logs in to MSK loads it. */
async function sign(region: string): Promise<{ token: string; expiryTime: number }> {
  const [{ generateAuthTokenFromCredentialsProvider }, { fromNodeProviderChain }, { AwsHttp }] =
    await Promise.all([
      import('aws-msk-iam-sasl-signer-js'),
      import('@aws-sdk/credential-providers'),
      import('../../../../outbound/aws-http.ts'),
    ]);
  const requestHandler = await AwsHttp.open({ maxSockets: 1, requestTimeoutMs: stsTimeoutMs });
  const chain = fromNodeProviderChain({ clientConfig: { region, requestHandler } });
  try {
    return await generateAuthTokenFromCredentialsProvider({ region, awsCredentialsProvider: chain });
  } finally {
    requestHandler.destroy();
  }
}

function withinTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(Object.assign(new Error('no credentials in time'), { name: 'TimeoutError' }));
    }, credentialsTimeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
