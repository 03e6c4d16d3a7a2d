/**
 * A host's name as TLS has it: RFC 6066 §3 sends it without the dot at its end, by which DNS takes it as it is. Servers
 * end the handshake of who sends the dot, and certificates never have it.
 */
export function serverName(host: string): string {
  return host.replace(/\.$/, '');
}

/** An address whose host has no dot at its end: `fetch` would send it in the handshake as well. */
export function withoutFinalDot(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url?.hostname.endsWith('.')) return address;
  url.hostname = serverName(url.hostname);
  return url.href;
}
