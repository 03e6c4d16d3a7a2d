import type { ServerCredentials } from '@grpc/grpc-js';
import { experimental } from '@grpc/grpc-js';
import { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { KeyMaterial, TlsFiles } from './key-material.ts';
import { readKeyMaterial } from './key-material.ts';

type Provider = experimental.CertificateProvider;
type IdentityListener = experimental.IdentityCertificateUpdateListener;
type CaListener = experimental.CaCertificateUpdateListener;

export interface TlsDeps {
  log: Logger;
  /** Told when the certificate in use ends, in seconds since 1970. */
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
      'took the changed gRPC certificates',
    );
  }

  /** Said once for each cause, not at each look. */
  private refuse({ message }: ScalerError): void {
    if (message === this.refused) return;
    this.refused = message;
    this.deps.log.warn({ reason: message }, 'refused the changed gRPC certificates, the old ones stay');
  }
}

function caUpdate({ clientCa }: KeyMaterial): experimental.CaCertificateUpdate | null {
  return clientCa === undefined ? null : { caCertificate: clientCa };
}
