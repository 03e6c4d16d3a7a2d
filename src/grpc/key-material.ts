import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ScalerError } from '../errors.ts';

export interface TlsFiles {
  /** PEM, the server's certificate first. */
  certFile: string;
  keyFile: string;
  /** Clients must show a certificate signed by one of these. */
  clientCaFile?: string | undefined;
}

/** What the files hold, found good: the key belongs to the certificate, and its time is not over. */
export interface KeyMaterial {
  certificate: Buffer;
  privateKey: Buffer;
  clientCa: Buffer | undefined;
  expiresAtMs: number;
  /** Equal as long as no file has changed. */
  fingerprint: string;
}

/** Reads and proves the files; throws ScalerError naming the setting, never with a byte of a key in it. */
export async function readKeyMaterial({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<KeyMaterial> {
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
