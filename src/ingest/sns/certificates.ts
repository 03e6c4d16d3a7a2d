import { type KeyObject, X509Certificate } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { ScalerError } from '../../errors.ts';
import type { Get } from './https-get.ts';

const timeoutMs = 2_000;
/** SNS's are 2 KiB. */
const maxBytes = 16 * 1024;
/** SNS has one for each region, and a second while it is replaced. */
const maxKnown = 32;
/** How many are fetched at a time. */
const maxFetches = 5;
/** A forged message can name a missing certificate. Its slot stays taken for this long, so that forgers cause ten requests a second at most. */
const defaultRestMs = 500;
/** Of what forgers name, that it is not there is known for a minute. */
const missingMs = 60_000;
const maxMissing = 10_000;
/** Messages that wait for a certificate; each holds some hundred bytes. */
const maxWaiting = 1_000;

export interface CertificatesOptions {
  readonly get: Get;
  readonly signal: AbortSignal;
  /** In ms since 1970: certificates have dates. */
  readonly now: () => number;
  /** In ms. */
  readonly rest?: number;
}

interface Waiting {
  readonly url: string;
  resolve(certificate: X509Certificate): void;
  reject(reason: ScalerError): void;
}

/**
 * The signing certificates of SNS. Each is fetched once. Known ones cost nothing and never wait. Others are queued, and the
 * addresses of senders take turns. So a sender of thousands of forged messages only delays itself.
 */
export class Certificates {
  private readonly options: CertificatesOptions;
  private readonly known = new LRUCache<string, X509Certificate>({ max: maxKnown });
  /** In ms since 1970, until when they are taken for missing. */
  private readonly missing = new LRUCache<string, number>({ max: maxMissing });
  /** By address, in the order of their turns. */
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly fetching = new Map<string, Promise<X509Certificate>>();
  private count = 0;
  private fetches = 0;

  constructor(options: CertificatesOptions) {
    this.options = options;
    options.signal.addEventListener('abort', () => this.close(ScalerError.from(options.signal.reason)));
  }

  /**
   * The public key at a URL that `isCertificateUrl`, for a message from this address. Rejects with ScalerError: `invalid`
   * where that is no certificate or not valid now, `not_found`, `unavailable`, `exhausted` (too many are queued).
   */
  async key(url: string, address: string): Promise<KeyObject> {
    const certificate = this.known.get(url) ?? (await this.fetched(url, address));
    if (!isValid(certificate, this.options.now())) {
      this.known.delete(url);
      throw new ScalerError('invalid', 'the certificate is not valid now');
    }
    this.known.set(url, certificate);
    return certificate.publicKey;
  }

  private fetched(url: string, address: string): Promise<X509Certificate> {
    const { signal, now } = this.options;
    const underWay = this.fetching.get(url);
    if (underWay !== undefined) return underWay;
    if (signal.aborted) return Promise.reject(ScalerError.from(signal.reason));
    if ((this.missing.get(url) ?? 0) > now()) {
      return Promise.reject(new ScalerError('not_found', 'it was not there a moment ago'));
    }
    return new Promise((resolve, reject) => {
      const others = this.waiting.get(address) ?? [];
      this.waiting.set(address, others);
      others.push({ url, resolve, reject });
      this.count += 1;
      if (this.count > maxWaiting) this.dropOne();
      this.next();
    });
  }

  /** The longest waiting one of the address with the most. */
  private dropOne(): void {
    let most: Waiting[] = [];
    for (const some of this.waiting.values()) if (some.length > most.length) most = some;
    const dropped = most.shift();
    this.count -= 1;
    dropped?.reject(new ScalerError('exhausted', `more than ${maxWaiting} messages wait for certificates`));
  }

  private next(): void {
    for (const [address, some] of this.waiting) {
      if (this.fetches >= maxFetches) return;
      this.waiting.delete(address);
      // The newest: an older one says the same, look now, or is as forged as the rest.
      const first = some.pop();
      if (first === undefined) continue;
      this.count -= 1;
      // Its next turn comes after those of all others.
      if (some.length > 0) this.waiting.set(address, some);
      const underWay = this.fetching.get(first.url);
      if (underWay === undefined) void this.fetch(first);
      else underWay.then(first.resolve, first.reject);
    }
  }

  /** For all who wait for the same. Never rejects. */
  private async fetch({ url, resolve, reject }: Waiting): Promise<void> {
    const { get, signal, now, rest = defaultRestMs } = this.options;
    this.fetches += 1;
    const fetched = get(url, { timeoutMs, maxBytes, signal }).then(certificateOf);
    this.fetching.set(url, fetched);
    try {
      const certificate = await fetched;
      for (const one of this.takeAll(url)) one.resolve(certificate);
      resolve(certificate);
    } catch (reason) {
      const error = ScalerError.from(reason);
      if (error.code === 'not_found') this.missing.set(url, now() + missingMs);
      for (const one of this.takeAll(url)) one.reject(error);
      reject(error);
      this.fetching.delete(url);
      await setTimeout(rest, undefined, { ref: false, signal }).catch(() => undefined);
    } finally {
      this.fetching.delete(url);
      this.fetches -= 1;
      this.next();
    }
  }

  private takeAll(url: string): Waiting[] {
    const taken: Waiting[] = [];
    for (const [address, some] of this.waiting) {
      const others = some.filter((one) => one.url !== url);
      if (others.length === some.length) continue;
      taken.push(...some.filter((one) => one.url === url));
      if (others.length === 0) this.waiting.delete(address);
      else this.waiting.set(address, others);
    }
    this.count -= taken.length;
    return taken;
  }

  private close(reason: ScalerError): void {
    for (const some of this.waiting.values()) for (const { reject } of some) reject(reason);
    this.waiting.clear();
    this.count = 0;
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
