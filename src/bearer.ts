import { createHash, timingSafeEqual } from 'node:crypto';

/** The token in an `Authorization` header (RFC 6750 §2.1), unchecked. Undefined if there is no token. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Whether an `Authorization` header carries the token. */
export function bears(authorization: string | undefined, token: string): boolean {
  const given = bearerOf(authorization);
  return given !== undefined && isSame(hashOf(given), hashOf(token));
}

/** What tokens are compared by: hashes are of equal length. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Takes as long whether they are the same or not. */
export function isSame(hash: Buffer, other: Buffer): boolean {
  return timingSafeEqual(hash, other);
}
