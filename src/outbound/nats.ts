import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { ScalerError } from '../errors.ts';
import { withoutFinalDot } from '../server-name.ts';
import { networkFaults } from './network-faults.ts';
import { type TlsSettings, tlsFiles, tlsSettings } from './tls.ts';

/*
 * NATS for the event log and for the source: settings, connecting, and the words for errors. The client is loaded only
 * on the first connect.
 */

const text = (doc: string) => z.string().min(1).describe(doc);
const ms = (fallback: number, doc: string) => z.int().min(100).default(fallback).describe(doc);

const server = z
  .string()
  .refine(isServer, 'must be nats://host:port or tls://host:port, without user and password')
  .overwrite(withoutFinalDot);

function isServer(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['nats:', 'tls:'].includes(url.protocol)) return false;
  return (
    url.hostname !== '' &&
    url.username + url.password + url.search + url.hash === '' &&
    url.pathname.length < 2
  );
}

/** The settings of a connection to NATS. A schema with these also calls `natsLoginFault`. */
export const natsSettings = {
  servers: z.array(server).min(1).describe('Some servers of the cluster, as nats://host:port.'),
  tls: tlsSettings(
    '`true`, or [these keys](#tls). Without it: TLS if an address has tls://, or the server has it.',
  ),
  credentials: text('A user’s JWT and seed, as nsc writes them (`.creds`).').exactOptional(),
  username: text('With `password`.').exactOptional(),
  password: text('With `username`.').exactOptional(),
  token: text('Where the server wants one.').exactOptional(),
  connectTimeoutMs: ms(5_000, 'For connecting, with TLS and login.'),
  requestTimeoutMs: ms(5_000, 'For JetStream to answer.'),
};

/** The settings of `natsSettings` that can come from files. */
export const natsFiles = { credentials: 'secret', password: 'secret', token: 'secret', ...tlsFiles } as const;

/** Holds secrets: never logged. */
export interface NatsSettings {
  readonly servers: readonly string[];
  readonly tls?: TlsSettings | undefined;
  readonly credentials?: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** What is wrong with the settings for login, and which setting is to blame. Undefined if nothing is. */
export function natsLoginFault({
  credentials,
  username,
  password,
  token,
}: Pick<NatsSettings, 'credentials' | 'username' | 'password' | 'token'>):
  | { path: string; message: string }
  | undefined {
  if ((username === undefined) !== (password === undefined))
    return username === undefined
      ? { path: 'password', message: 'needs username' }
      : { path: 'username', message: 'needs password or passwordFile' };
  const ways = [credentials, username, token].filter((way) => way !== undefined);
  if (ways.length > 1) return { path: 'credentials', message: 'give one of credentials, username and token' };
  if (credentials !== undefined && !/-----BEGIN USER NKEY SEED-----/.test(credentials))
    return { path: 'credentials', message: 'must be a .creds file: it has no USER NKEY SEED' };
  return undefined;
}

/** Whether a password or token would be sent without TLS. The seed of a `.creds` file only signs, and is never sent. */
export function natsSendsSecretInPlaintext({ servers, tls, password, token }: NatsSettings): boolean {
  if (tls !== undefined || (password === undefined && token === undefined)) return false;
  return servers.some((server) => !server.startsWith('tls:'));
}

/**
 * Tries once to connect. Rejects with ScalerError `unavailable`, which says why. Once connected, the client reconnects
 * forever after each break. It leaves a silent server after two pings.
 */
export async function connectNats(settings: NatsSettings, name: string): Promise<NatsConnection> {
  const { connect, credsAuthenticator } = await import('@nats-io/transport-node');
  const { servers, tls, credentials, username, password, token, connectTimeoutMs } = settings;
  try {
    return await connect({
      servers: [...servers],
      name,
      timeout: connectTimeoutMs,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      reconnectJitterTLS: 250,
      pingInterval: 2_000,
      maxPingOut: 2,
      ...(tls !== undefined && { tls: tlsOptions(tls) }),
      // The client itself ignores the scheme. With `tls` it leaves a server that has no TLS, before it sends anything.
      ...(tls === undefined && servers.some((one) => one.startsWith('tls:')) && { tls: {} }),
      ...(credentials !== undefined && {
        authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
      }),
      ...(username !== undefined && password !== undefined && { user: username, pass: password }),
      ...(token !== undefined && { token }),
    });
  } catch (reason) {
    throw new ScalerError('unavailable', `NATS at ${servers.join(', ')} ${natsFault(reason)}`, {
      cause: reason,
    });
  }
}

/** The client passes all of these to Node's `tls.connect`, also options that its types lack. */
function tlsOptions({ ca, cert, key, keyPassword, insecureSkipVerify }: TlsSettings) {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(keyPassword !== undefined && { passphrase: keyPassword }),
    rejectUnauthorized: !insecureSkipVerify,
  };
}

/** What an error of the client means, in words that follow the name NATS. */
export function natsFault(reason: unknown): string {
  for (let error = reason; error instanceof Error; error = error.cause) {
    const code = 'code' in error ? String(error.code) : '';
    if (Object.hasOwn(networkFaults, code)) return networkFaults[code as keyof typeof networkFaults];
    if (error.name === 'AuthorizationError' || error.name === 'UserAuthenticationExpiredError')
      return 'refuses the login: check the credentials, the user and password, or the token';
    if (isNotAllowed(error)) return `does not allow it: ${error.message}`;
    if (error.name === 'TimeoutError') return 'does not answer in time';
    if (error.name === 'NoResponders') return 'has no JetStream for this account and domain: enable it';
    if (code.startsWith('ERR_TLS') || certificateCodes.test(code))
      return `shows a TLS certificate that is not accepted (${code}): set \`tls.caFile\` to the PEM of its authority, or correct the host name`;
  }
  return `cannot be used: ${reason instanceof Error ? reason.message : String(reason)}`;
}

/** Error codes of JetStream (`err_code`, in server/errors.json of nats-server). */
export const jetStreamErrors = {
  streamNotFound: 10059,
  consumerNotFound: 10014,
  notEnabled: [10076, 10039],
} as const;

/** The code of an error of JetStream or of the network. Undefined without one. */
export function errorCode(reason: unknown): unknown {
  return reason instanceof Error && 'code' in reason ? reason.code : undefined;
}

/** Whether the user of the connection may not do it. */
export function isNotAllowed(reason: unknown): boolean {
  // The client wraps the error of a request.
  for (let error = reason; error instanceof Error; error = error.cause)
    if (error.name === 'PermissionViolationError') return true;
  return false;
}

/**
 * Whether a write was refused because another came first. The second code is that of a cluster in which the other write is
 * still being agreed on.
 */
export function isOvertaken(reason: unknown): boolean {
  const code = errorCode(reason);
  return code === 10071 || code === 10164;
}

/** Whether JetStream has refused a request. After any other error the request may have been carried out. */
export function isJetStreamRefusal(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'JetStreamApiError';
}

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/;
