import { createPrivateKey, type KeyObject } from 'node:crypto';
import { ScalerError } from '../../../errors.ts';

const pem = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]+?)-----END \1-----/;

/**
 * An App's private key as PKCS#8 PEM. Takes what people are known to paste: line breaks written as `\n`, CRLF, lines
 * folded into one, the whole PEM in base64. Throws ScalerError `invalid`, which never shows any of it.
 */
export function readPrivateKey(text: string): string {
  const found = pem.exec(text) ?? pem.exec(Buffer.from(text, 'base64').toString('latin1'));
  if (found === null) throw unusable('is no PEM: it must begin with -----BEGIN RSA PRIVATE KEY-----');
  const [, label = '', body = ''] = found;
  if (/ENCRYPTED/.test(`${label}${body}`))
    throw unusable('is protected by a passphrase: GitHub gives it without');
  if (!label.endsWith('PRIVATE KEY')) throw unusable(`holds a ${label}, not a private key`);
  const key = parse(label, body.replace(/\\[rn]|\s/g, ''));
  if (key === undefined)
    throw unusable('is damaged: copy the file again that GitHub gave when the key was made');
  if (key.asymmetricKeyType !== 'rsa') throw unusable('is no RSA key, so it is none of a GitHub App');
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function parse(label: string, base64: string): KeyObject | undefined {
  const lines = base64.match(/.{1,64}/g) ?? [];
  try {
    return createPrivateKey([`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n'));
  } catch {
    // OpenSSL's words about it help nobody.
    return undefined;
  }
}

function unusable(fault: string): ScalerError {
  return new ScalerError('invalid', `the App's private key (\`app.privateKeyFile\`) ${fault}`);
}
