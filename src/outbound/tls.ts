import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { attempt, ScalerError } from '../errors.ts';

/*
 * TLS settings of a connection. The loader has read the files already: for `caFile` in the configuration this schema sees
 * `ca` with the content.
 */

const text = (doc: string) => z.string().min(1).describe(doc);

const settings = z
  .strictObject(
    {
      ca: text('PEM of the servers’ authorities. By default those that Node trusts.').exactOptional(),
      cert: text('PEM of the client certificate (mTLS), with `keyFile`.').exactOptional(),
      key: text('PEM of its private key.').exactOptional(),
      keyPassword: text('The passphrase of an encrypted key.').exactOptional(),
      insecureSkipVerify: z
        .boolean()
        .default(false)
        .describe('Accepts any certificate: anyone in between can read and change everything.'),
    },
    {
      error: ({ code }) =>
        code === 'invalid_type' ? 'must be true, or a mapping such as { caFile: ca.crt }' : undefined,
    },
  )
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'certFile and keyFile must be given together',
  })
  .superRefine((settings, context) => {
    for (const [path, message] of pemFaults(settings)) {
      context.addIssue({ code: 'custom', path: [path], message });
    }
  });

interface Pems {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly keyPassword?: string;
}

/** What is wrong with the PEMs, by setting, without a secret. Otherwise a handshake would fail later, in OpenSSL's words. */
function* pemFaults({ ca, cert, key, keyPassword }: Pems): Generator<readonly [keyof Pems, string]> {
  if (ca !== undefined && certificates(ca) === undefined) yield ['ca', noCertificates];
  const own = cert === undefined ? undefined : certificates(cert);
  if (cert !== undefined && own === undefined) yield ['cert', noCertificates];
  if (keyPassword !== undefined && key === undefined) yield ['keyPassword', 'needs keyFile'];
  if (key === undefined) return;
  const read = privateKey(key, keyPassword);
  if (typeof read === 'string') yield ['key', read];
  else if (own?.[0]?.checkPrivateKey(read) === false)
    yield ['key', 'is not the key of the certificate in certFile'];
}

const noCertificates = 'must be PEM of certificates (-----BEGIN CERTIFICATE-----)';
const certificateBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Undefined without a certificate, or if one cannot be parsed. */
function certificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(certificateBlock) ?? [];
  const read = attempt(() => blocks.map((block) => new X509Certificate(block)));
  return read instanceof ScalerError || read.length === 0 ? undefined : read;
}

/** The key, or what is wrong with it. */
function privateKey(pem: string, passphrase: string | undefined): KeyObject | string {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    return 'must be PEM of a private key (-----BEGIN PRIVATE KEY-----)';
  }
  const isEncrypted = /-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (isEncrypted && passphrase === undefined)
    return 'is encrypted: give keyPassword or keyPasswordFile as well';
  const read = attempt(() =>
    createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) }),
  );
  if (!(read instanceof ScalerError)) return read;
  return isEncrypted ? 'cannot be decrypted with keyPassword' : 'is PEM of a private key that cannot be read';
}

/** `tls: true` means TLS with defaults. */
function expandTls(value: unknown): unknown {
  if (value === true) return {};
  return value === false ? undefined : value;
}

/** The schema of `tls`: `true` or a mapping. A wrong key password, or PEMs that do not match, are faults in it. */
export function tlsSettings(doc: string) {
  return z.preprocess(expandTls, settings.optional()).describe(doc);
}

export type TlsSettings = z.output<typeof settings>;

/** The settings of `tlsSettings` that can come from files, for `files` of a manifest. */
export const tlsFiles = { ca: 'open', cert: 'open', key: 'open', keyPassword: 'secret' } as const;
