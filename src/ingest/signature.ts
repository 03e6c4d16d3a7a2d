import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { verify } from '@octokit/webhooks-methods';
import type { Receiver } from './receiver.ts';

/** Above this one signature takes a tenth of a millisecond and more; others get their turn in between. */
const turnBytes = 64 * 1024;

/** What `X-Hub-Signature-256` holds: the HMAC-SHA256 of the raw body in lower-case hex (docs.github.com, "Validating webhook deliveries"). */
export function isSignature(header: unknown): header is string {
  return typeof header === 'string' && /^sha256=[0-9a-f]{64}$/.test(header);
}

/** The distinct secrets of these connections: those of one App over many owners count once. */
export function secretsOf(receivers: readonly Receiver[]): ReadonlySet<string> {
  return new Set(receivers.flatMap(({ secrets }) => secrets));
}

/**
 * Those of the receivers one of whose secrets made the signature, compared in constant time. Each secret is
 * tried, also after one that fits: two connections may share one and differ in another.
 */
export async function signersOf(
  body: Buffer,
  signature: string,
  receivers: readonly Receiver[],
): Promise<readonly Receiver[]> {
  // `verify` takes text. Only valid UTF-8 comes out of it as the bytes that went in; GitHub sends nothing else.
  if (body.length === 0 || !isUtf8(body)) return [];
  const text = body.toString('utf8');
  const signed = new Set<string>();
  for (const secret of secretsOf(receivers)) {
    if (await verify(secret, text, signature)) signed.add(secret);
    if (body.length > turnBytes) await setImmediate();
  }
  return receivers.filter(({ secrets }) => secrets.some((secret) => signed.has(secret)));
}
