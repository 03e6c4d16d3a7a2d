const untrusted =
  'shows a TLS certificate of an authority we do not know: set `tls.caFile` to the PEM of the authority that signed it';
const wantsCertificate =
  'wants a client certificate (mTLS): set `tls.certFile` and `tls.keyFile`, signed by an authority it trusts';

/** Node's codes of a certificate that fails (https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes). */
const certificateFaults: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `shows a self-signed TLS certificate: set \`tls.caFile\` to it`,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_HAS_EXPIRED:
    'shows a TLS certificate that has expired: renew it on the broker (or the authority that signed it)',
  CERT_NOT_YET_VALID: "shows a TLS certificate that is not valid yet: check the broker's clock and ours",
  INVALID_PURPOSE: 'shows a TLS certificate that is not made for servers (its extended key usage)',
  CERT_REVOKED: 'shows a TLS certificate that was revoked',
};

/** OpenSSL's reasons; Node gives them as codes or, with the code EPROTO, only in the message. */
const handshakeFaults: readonly [RegExp, string][] = [
  [
    /wrong.version.number|packet.length.too.long|unknown.protocol/i,
    'does not speak TLS on this listener: check its port, or leave out `tls`',
  ],
  [/certificate.required|handshake.failure/i, wantsCertificate],
  [
    /bad.certificate|unknown.ca|certificate.unknown/i,
    // Java says `bad_certificate` also where it was shown none.
    'wants a client certificate (mTLS) and does not take ours: set `tls.certFile` and `tls.keyFile` to one signed by an authority it trusts',
  ],
  [/certificate.expired/i, 'says our client certificate has expired: renew `tls.certFile`'],
  [
    /before secure TLS connection was established/i,
    'broke the TLS handshake off: check whether this listener speaks TLS',
  ],
  [
    /no start line|(PEM|DECODER|asn1).*routines|key values mismatch/i,
    'cannot be asked: `tls` holds a PEM that cannot be read, or a key of another certificate',
  ],
];

/** Which TLS fault this is and what to set, as the end of a sentence about a broker; undefined: none of TLS. */
export function tlsFault(code: string, message: string): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return "shows a TLS certificate for another host name: connect by a name that is in it, or set the broker's advertised listeners to one";
  }
  const certificate = certificateFaults[code];
  if (certificate !== undefined) return certificate;
  const text = `${code} ${message}`;
  return handshakeFaults.find(([pattern]) => pattern.test(text))?.[1];
}
