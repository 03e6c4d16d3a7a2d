import type { PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { certificateNames } from '../../../src/grpc/tls.ts';

function subject(CN: unknown): PeerCertificate['subject'] {
  // Node returns a list if a certificate has several common names. Its types do not show that.
  return { C: '', ST: '', L: '', O: '', OU: '', CN } as PeerCertificate['subject'];
}

describe('certificateNames', () => {
  it.each([
    ['a common name', 'keda-operator', undefined, ['keda-operator']],
    ['no name at all', undefined, undefined, []],
    ['several common names', ['a', 'b'], undefined, ['a', 'b']],
    [
      'DNS and URI names',
      'a',
      'DNS:b.keda.svc, URI:spiffe://cluster/ns/keda',
      ['b.keda.svc', 'spiffe://cluster/ns/keda', 'a'],
    ],
    ['a name twice', 'a', 'DNS:a', ['a']],
    ['names of other kinds', undefined, 'IP Address:10.0.0.1, email:x@y.z, DNS:a', ['a']],
    ['a name made to look like two', undefined, 'DNS:"evil, DNS:keda-operator", DNS:b', ['b']],
    ['a quoted quote', undefined, 'DNS:"evil\\", DNS:keda-operator", DNS:b', ['b']],
  ])('reads %s', (_, commonName, subjectaltname, names) => {
    expect(certificateNames({ subject: subject(commonName), subjectaltname })).toEqual(names);
  });
});
