import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Pair {
  cert: string;
  key: string;
  /** Private key and certificates in one file, as for Kafka's `ssl.keystore.type=PEM`. */
  bundle: string;
}

export interface Certificates {
  ca: string;
  server: Pair;
  client: Pair;
}

export interface CertificateOptions {
  /** Makes server and client certificates that have expired. */
  expired?: boolean;
  /** The server's common name. `clientName` is the client's. */
  serverName?: string;
  clientName?: string;
  /** The names in the server's certificate, in openssl's form: `DNS:kafka.example`. */
  serverAltNames?: string;
  /** Signs with this authority instead of a new one. Its key lies beside it, as `ca.key`. */
  authority?: string;
  /** Makes keys for RSA, which takes a tenth of a second each. SNS signs with them, and an API server its tokens. */
  rsa?: boolean;
}

/**
 * An authority, and a server's and a client's certificate signed by it. Made by OpenSSL in `dir`. By default
 * the server's names are localhost and 127.0.0.1. The client's are its DNS name and a SPIFFE URI.
 */
export function makeCertificates(dir: string, options: CertificateOptions = {}): Certificates {
  const { serverName = 'localhost', clientName = 'keda-operator' } = options;
  const { serverAltNames = 'DNS:localhost,IP:127.0.0.1' } = options;
  const ca = join(dir, 'ca.crt');
  const newKey = options.rsa === true ? newRsaKey : newEcKey;
  if (options.authority === undefined) makeAuthority(dir, ca, newKey);
  else if (options.authority !== ca) {
    copyFileSync(options.authority, ca);
    copyFileSync(options.authority.replace(/\.crt$/, '.key'), join(dir, 'ca.key'));
  }
  const days = options.expired ? -1 : 30;
  const server = sign(dir, newKey, { role: 'server', name: serverName, altNames: serverAltNames, days });
  const names = `DNS:${clientName},URI:spiffe://cluster.local/${clientName}`;
  const client = sign(dir, newKey, { role: 'client', name: clientName, altNames: names, days });
  return { ca, server, client };
}

/** The arguments of OpenSSL for a new key at a path. */
type NewKey = (path: string) => string[];

function makeAuthority(dir: string, ca: string, newKey: NewKey): void {
  const key = join(dir, 'ca.key');
  openssl(
    'req',
    '-x509',
    ...newKey(key),
    '-out',
    ca,
    '-days',
    '30',
    '-subj',
    '/CN=backlog-scaler test authority',
  );
}

interface Signed {
  readonly role: 'server' | 'client';
  readonly name: string;
  readonly altNames: string;
  readonly days: number;
}

function sign(dir: string, newKey: NewKey, { role, name, altNames, days }: Signed): Pair {
  const file = (ending: string): string => join(dir, `${role}.${ending}`);
  const [key, cert, request, extensions, bundle] = [
    file('key'),
    file('crt'),
    file('csr'),
    file('ext'),
    file('pem'),
  ] as const;
  const ca = join(dir, 'ca.crt');
  const caKey = join(dir, 'ca.key');
  openssl('req', ...newKey(key), '-out', request, '-subj', `/CN=${name}`);
  writeFileSync(extensions, `subjectAltName=${altNames}\nextendedKeyUsage=${role}Auth\n`);
  const serial = String(Math.floor(Math.random() * 2 ** 31));
  const times = ['-days', String(days), '-set_serial', serial, '-extfile', extensions];
  openssl('x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-out', cert, ...times);
  writeFileSync(bundle, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8') + readFileSync(ca, 'utf8'));
  rmSync(request);
  rmSync(extensions);
  return { cert, key, bundle };
}

/** PKCS #8, not encrypted. Every client and server of the tests accepts it. */
function newEcKey(path: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path];
}

function newRsaKey(path: string): string[] {
  return ['-newkey', 'rsa:2048', '-nodes', '-keyout', path];
}

/** The key of a pair, encrypted with a passphrase (PKCS #8), as PEM. */
export function encryptedKey({ key }: Pair, passphrase: string): string {
  const args = ['pkcs8', '-topk8', '-in', key, '-passout', `pass:${passphrase}`];
  return execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' });
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
