import type { PeerCertificate } from 'node:tls';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { ScalerError } from '../errors.ts';

export type AuthenticatedCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

/** Throws PERMISSION_DENIED unless the client's certificate has one of the allowed names. */
export function admitNames(allowed: readonly string[]): (call: AuthenticatedCall) => void {
  return (call) => {
    const { sslPeerCertificate: certificate } = call.getAuthContext();
    const names = certificate === undefined ? [] : certificateNames(certificate);
    if (names.some((name) => allowed.includes(name))) return;
    throw new ScalerError(
      'denied',
      `the client's certificate is for ${names.join(', ') || 'no name'}; grpc.tls.allowedClientNames allows ${allowed.join(', ')}`,
    );
  };
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
