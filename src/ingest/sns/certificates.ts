import { type KeyObject, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ScalerError } from '../../errors.ts';
import type { Get } from './https-get.ts';

const timeoutMs = 2_000;
/** SNS's are 2 KiB. */
const maxBytes = 16 * 1024;
/** SNS has one for each region, and a second while it is replaced. */
const maxKnown = 32;
/** A forged message can name a certificate that there is not: it costs one request, and there are not many of those. */
const maxFetches = 10;
const fetchWindowMs = 60_000;

interface Window {
  sinceMs: number;
  fetches: number;
}

export interface CertificatesOptions {
  readonly get: Get;
  readonly signal: AbortSignal;
  /** In ms since 1970: certificates have dates. */
  readonly now: () => number;
}

/** The certificates that SNS signs with: each is fetched once, by whomever it is asked for. */
export class Certificates {
  private readonly options: CertificatesOptions;
  private readonly known = new LRUCache<string, X509Certificate>({ max: maxKnown });
  private readonly fetching = new Map<string, Promise<X509Certificate>>();
  private readonly windows = new Map<string, Window>();

  constructor(options: CertificatesOptions) {
    this.options = options;
  }

  /**
   * The public key at a URL that `isCertificateUrl`. Rejects with ScalerError: `invalid` where that is no
   * certificate or not valid now, `not_found`, `unavailable`, `exhausted` (too many asked for by this connection).
   */
  async key(url: string, connection: string): Promise<KeyObject> {
    const certificate = this.known.get(url) ?? (await this.fetched(url, connection));
    if (!isValid(certificate, this.options.now())) {
      this.known.delete(url);
      throw new ScalerError('invalid', 'the certificate is not valid now');
    }
    this.known.set(url, certificate);
    return certificate.publicKey;
  }

  private fetched(url: string, connection: string): Promise<X509Certificate> {
    const underWay = this.fetching.get(url);
    if (underWay !== undefined) return underWay;
    if (!this.mayFetch(connection)) {
      const message = `more than ${maxFetches} certificates were asked for within a minute`;
      return Promise.reject(new ScalerError('exhausted', message));
    }
    const { get, signal } = this.options;
    const fetched = get(url, { timeoutMs, maxBytes, signal })
      .then(certificateOf)
      .finally(() => this.fetching.delete(url));
    this.fetching.set(url, fetched);
    return fetched;
  }

  private mayFetch(connection: string): boolean {
    const nowMs = this.options.now();
    for (const [name, { sinceMs }] of this.windows) {
      if (nowMs - sinceMs >= fetchWindowMs) this.windows.delete(name);
    }
    const window = this.windows.get(connection) ?? { sinceMs: nowMs, fetches: 0 };
    this.windows.set(connection, window);
    window.fetches += 1;
    return window.fetches <= maxFetches;
  }
}

function certificateOf(pem: string): X509Certificate {
  try {
    const certificate = new X509Certificate(pem);
    if (certificate.publicKey.asymmetricKeyType === 'rsa') return certificate;
  } catch (cause) {
    throw new ScalerError('invalid', 'what is there is no certificate', { cause });
  }
  throw new ScalerError('invalid', 'the key of the certificate is not of RSA');
}

function isValid({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}
