const quoted = /^"((?:[^"\\]|\\.)*)"$/;
const encoded = /(?:%[0-9a-f]{2})+/gi;
const printableAscii = /^[\x20-\x7e]*$/;

/**
 * The value of a `ce-` header as its sender meant it: quotes of older senders are taken off, then one round of
 * percent-decoding (CloudEvents HTTP binding 1.0.2 §3.1.3.2). undefined where it breaks that rule: bytes that
 * are neither ASCII nor encoded, or encoded bytes that are not UTF-8.
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (!printableAscii.test(value)) return undefined;
  const plain = quoted.exec(value)?.[1]?.replace(/\\(.)/g, '$1') ?? value;
  if (!plain.includes('%')) return plain;
  try {
    return plain.replace(encoded, decodeURIComponent);
  } catch {
    return undefined;
  }
}
