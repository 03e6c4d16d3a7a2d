import { z } from 'zod';
import { natsLoginFault, natsSettings } from '../../outbound/nats.ts';
import { ignored } from '../ignored-keys.ts';
import type { ConnectionKey, Place } from '../source.ts';

/*
 * A connection: an account of a NATS system. The loader has read the files already: for `credentialsFile` in the
 * configuration this schema sees `credentials` with the content.
 */

export const natsConfig = z
  .strictObject({
    ...natsSettings,
    domain: z
      .string()
      .regex(/^[^\s.*>/\\]+$/, 'must be a name without spaces and without . * > / \\')
      .exactOptional()
      .describe('The JetStream domain, if not the servers’ own.'),
    activeReadMs: z
      .int()
      .min(100)
      .default(1000)
      .describe('How often consumers that are not watched are read.'),
    reconcileSeconds: z.number().min(1).default(30).describe('The same for watched ones.'),
    maxRequests: z.int().min(1).max(1000).default(64).describe('The most requests in progress.'),
  })
  .superRefine((settings, context) => {
    const fault = natsLoginFault(settings);
    if (fault) context.addIssue({ code: 'custom', path: [fault.path], message: fault.message });
  });

/** Holds secrets: never logged. */
export type NatsConfig = z.output<typeof natsConfig>;

/** The keys of KEDA's `nats-jetstream` trigger that belong to the connection (nats_jetstream_scaler.go, v2.21). */
export const natsConnectionKeys: Readonly<Record<string, ConnectionKey<NatsConfig>>> = {
  natsServerMonitoringEndpoint: ignored,
  account: ignored,
  accountID: ignored,
  useHttps: ignored,
};

/** Where streams are looked up: servers, domain, and the account as far as the settings show it. */
export function placeOf({ servers = [], domain, credentials, username }: Partial<NatsConfig>): Place {
  const account = credentials === undefined ? username : accountOf(credentials);
  const addresses = servers.map((server) => server.toLowerCase().replace(/\/$/, '')).toSorted();
  return { addresses, part: { domain, account } };
}

/** The public key of a user's account, from the user's JWT (NATS JWT 2: `nats.issuer_account`, otherwise the signer). */
function accountOf(credentials: string): string | undefined {
  const [, payload = ''] = /-----BEGIN NATS USER JWT-----\s*[\w-]+\.([\w-]+)\.[\w-]+/.exec(credentials) ?? [];
  try {
    const claims = jwtClaims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return claims.nats?.issuer_account || claims.iss;
  } catch {
    return undefined;
  }
}

const jwtClaims = z.object({
  iss: z.string().optional(),
  nats: z.object({ issuer_account: z.string().optional() }).optional(),
});
