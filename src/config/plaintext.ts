import { natsSendsSecretInPlaintext } from '../outbound/nats.ts';
import type { AnySource } from '../sources/source.ts';
import { type Faults, type Mapping, mapTexts, pathText } from './document.ts';
import type { LiveSettings, StartSettings } from './schema.ts';

/*
 * What would be sent without TLS though it lets somebody in. `security.allowPlaintextSecrets` allows it; then nothing
 * here is called.
 */

/** Adds a fault if the connection would send its login. False: it would not. */
export function checkConnection(
  name: string,
  { source, config, settings }: { source: AnySource; config: unknown; settings: Mapping },
  faults: Faults,
): boolean {
  if (source.sendsSecretInPlaintext?.(config) !== true) return false;
  const [address] = plainAddresses(settings);
  const remedy = address === undefined ? 'set tls' : `write https:// in ${address}`;
  faults.add(
    ['connections', name],
    `would send its password or token without TLS: ${remedy}, or set security.allowPlaintextSecrets`,
  );
  return true;
}

/** The keys whose value is an address without TLS. */
function plainAddresses(settings: Mapping): string[] {
  const found: string[] = [];
  mapTexts(settings, (text, path) => {
    if (/^http:\/\//i.test(text)) found.push(pathText(path));
    return text;
  });
  return found;
}

/** Of a password or token for the servers of NATS. */
export function checkEventLog(eventLog: StartSettings['eventLog'], faults: Faults): void {
  if (eventLog.type !== 'nats' || !natsSendsSecretInPlaintext(eventLog)) return;
  faults.add(
    ['eventLog'],
    'would send its password or token without TLS: set tls or a tls:// address, or security.allowPlaintextSecrets',
  );
}

/** Of a token, or a query, which may be one. */
export function checkSink({ sink, token }: LiveSettings['decisions'], faults: Faults): void {
  const url = sink === undefined ? undefined : new URL(sink);
  if (url?.protocol !== 'http:' || (token === undefined && url.search === '')) return;
  faults.add(
    ['decisions', 'sink'],
    'would send its token or query without TLS: use https://, or set security.allowPlaintextSecrets',
  );
}
