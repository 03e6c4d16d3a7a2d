import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type PeerCertificate } from 'node:tls';
import type { ServerCredentials } from '@grpc/grpc-js';
import { experimental } from '@grpc/grpc-js';
import { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';

export interface TlsFiles {
  /** PEM, the server's certificate first. */
  certFile: string;
  keyFile: string;
  /** Clients must show a certificate signed by one of these. */
  clientCaFile?: string | undefined;
}

type Provider = experimental.CertificateProvider;
type IdentityListener = experimental.IdentityCertificateUpdateListener;
type CaListener = experimental.CaCertificateUpdateListener;

export interface TlsDeps {
  log: Logger;
  /** Called with the end of the certificate in use, in seconds since 1970. */
  expires(atSeconds: number): void;
  refreshMs?: number | undefined;
}

/** Files are read, not watched: a mounted Secret changes by a swap of links that watchers miss. */
const refreshMs = 10_000;

/**
 * The server's certificates, read again when the files change: new connections get the new ones, open ones
 * stay. New files that cannot be used are refused and the old ones kept.
 */
export class ServerCertificates implements Provider {
  private readonly files: TlsFiles;
  private readonly deps: TlsDeps;
  private readonly identityListeners = new Set<IdentityListener>();
  private readonly caListeners = new Set<CaListener>();
  private readonly timer: NodeJS.Timeout;
  private material: KeyMaterial;
  private refused = '';
  private reading = false;

  private constructor(files: TlsFiles, deps: TlsDeps, material: KeyMaterial) {
    this.files = files;
    this.deps = deps;
    this.material = material;
    deps.expires(material.expiresAtMs / 1000);
    this.timer = setInterval(() => void this.refresh(), deps.refreshMs ?? refreshMs);
  }

  /** Throws ScalerError where the files cannot be used. */
  static async open(files: TlsFiles, deps: TlsDeps): Promise<ServerCertificates> {
    return new ServerCertificates(files, deps, await readKeyMaterial(files));
  }

  /** TLS 1.2 and up (Node's default); with a client CA, a client certificate is required. */
  credentials(): ServerCredentials {
    const mutual = this.files.clientCaFile !== undefined;
    return experimental.createCertificateProviderServerCredentials(this, mutual ? this : null, mutual);
  }

  close(): void {
    clearInterval(this.timer);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.identityListeners.add(listener);
    // Not at once: grpc-js 1.14.7 asks before it is ready to hear.
    process.nextTick(listener, this.material);
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.identityListeners.delete(listener);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.caListeners.add(listener);
    process.nextTick(listener, caUpdate(this.material));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.caListeners.delete(listener);
  }

  private async refresh(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      this.take(await readKeyMaterial(this.files));
    } catch (reason) {
      this.refuse(ScalerError.from(reason));
    } finally {
      this.reading = false;
    }
  }

  private take(material: KeyMaterial): void {
    this.refused = '';
    if (material.fingerprint === this.material.fingerprint) return;
    this.material = material;
    for (const listener of this.caListeners) listener(caUpdate(material));
    for (const listener of this.identityListeners) listener(material);
    this.deps.expires(material.expiresAtMs / 1000);
    this.deps.log.info(
      { expires: new Date(material.expiresAtMs).toISOString() },
      'loaded the changed gRPC certificates',
    );
  }

  /** Logged once for each cause, not at each check. */
  private refuse({ message }: ScalerError): void {
    if (message === this.refused) return;
    this.refused = message;
    this.deps.log.warn({ reason: message }, 'refused the changed gRPC certificates, the old ones stay');
  }
}

function caUpdate({ clientCa }: KeyMaterial): experimental.CaCertificateUpdate | null {
  return clientCa === undefined ? null : { caCertificate: clientCa };
}

/** What the files hold, found good: the key belongs to the certificate, and its time is not over. */
interface KeyMaterial {
  certificate: Buffer;
  privateKey: Buffer;
  clientCa: Buffer | undefined;
  expiresAtMs: number;
  /** Equal as long as no file has changed. */
  fingerprint: string;
}

/** Reads and proves the files; throws ScalerError naming the setting, never with a byte of a key in it. */
async function readKeyMaterial({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<KeyMaterial> {
  const [certificate, privateKey, clientCa] = await Promise.all([
    read('certFile', certFile),
    read('keyFile', keyFile),
    clientCaFile === undefined ? undefined : read('clientCaFile', clientCaFile),
  ]);
  const { validTo } = parse('certFile', certFile, certificate);
  if (clientCa !== undefined && clientCaFile !== undefined) parse('clientCaFile', clientCaFile, clientCa);
  provePair(certFile, keyFile, certificate, privateKey);
  const expiresAtMs = Date.parse(validTo);
  if (expiresAtMs <= Date.now()) {
    throw new ScalerError(
      'invalid',
      `grpc.tls.certFile ${certFile}: ended on ${validTo}; renew the certificate`,
    );
  }
  const hash = createHash('sha256').update(certificate).update(privateKey);
  const fingerprint = hash.update(clientCa ?? '').digest('hex');
  return { certificate, privateKey, clientCa, expiresAtMs, fingerprint };
}

async function read(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (reason) {
    throw ScalerError.from(reason, 'invalid').within(`grpc.tls.${setting}`);
  }
}

function parse(setting: string, path: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new ScalerError('invalid', `grpc.tls.${setting} ${path}: is not a PEM certificate`, { cause });
  }
}

function provePair(certFile: string, keyFile: string, cert: Buffer, key: Buffer): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const message = `grpc.tls.keyFile ${keyFile}: is not the unencrypted PEM key of certFile ${certFile}`;
    throw new ScalerError('invalid', message, { cause });
  }
}

type NamedCertificate = Pick<PeerCertificate, 'subject'> & { subjectaltname?: string | undefined };

/** A certificate's DNS and URI names and its common name. */
export function certificateNames({ subject, subjectaltname }: NamedCertificate): string[] {
  const names = altNames(subjectaltname ?? '');
  // A certificate may have none, or several; the types know of one.
  const commonName: unknown = subject?.CN;
  for (const name of Array.isArray(commonName) ? commonName : [commonName]) {
    if (typeof name === 'string' && !names.includes(name)) names.push(name);
  }
  return names;
}

/**
 * Node gives `DNS:a, URI:b, DNS:"c, DNS:d"`: a name that could be taken for several is quoted as JSON
 * (CVE-2021-44532), and such a name is nobody's.
 */
const ALT_NAME = /(?:^|, )([^:"]+):("(?:[^"\\]|\\.)*"|[^,]*)/y;

function altNames(text: string): string[] {
  const names: string[] = [];
  ALT_NAME.lastIndex = 0;
  for (let match = ALT_NAME.exec(text); match; match = ALT_NAME.exec(text)) {
    const [, type, name = ''] = match;
    if ((type === 'DNS' || type === 'URI') && !name.startsWith('"')) names.push(name);
  }
  return names;
}
