import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { readPrivateKey } from '../../../../src/sources/github/config.ts';
import { appKey, appPem } from './upstream/setup.ts';

const pkcs8 = appKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('an App’s private key', () => {
  it.each([
    ['as GitHub gives it', appPem],
    ['as PKCS#8', pkcs8],
    ['with \\n for line breaks', appPem.replaceAll('\n', '\\n')],
    ['with \\r\\n for line breaks', appPem.replaceAll('\n', '\\r\\n')],
    ['with CRLF', appPem.replaceAll('\n', '\r\n')],
    ['folded into one line', appPem.replaceAll('\n', ' ')],
    ['in quotes, indented', `"  ${appPem.replaceAll('\n', '\n  ')}"`],
    ['in base64', Buffer.from(appPem).toString('base64')],
    [
      'in base64 with line breaks',
      Buffer.from(appPem)
        .toString('base64')
        .replace(/(.{76})/g, '$1\n'),
    ],
  ])('is accepted %s', (_, text) => {
    expect(readPrivateKey(text)).toBe(pkcs8);
  });

  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const secret = { cipher: 'aes-256-cbc', passphrase: 'hidden' };
  it.each([
    ['nothing', '', 'no PEM'],
    ['a token', 'ghp_0123456789', 'no PEM'],
    ['a cut key', `${appPem.slice(0, 400)}\n-----END RSA PRIVATE KEY-----`, 'damaged'],
    [
      'a public key',
      createPublicKey(appKey.privateKey).export({ type: 'spki', format: 'pem' }).toString(),
      'PUBLIC KEY',
    ],
    ['no RSA key', elliptic.export({ type: 'pkcs8', format: 'pem' }).toString(), 'no RSA key'],
    [
      'a locked key',
      appKey.privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }).toString(),
      'passphrase',
    ],
    [
      'a locked old key',
      appKey.privateKey.export({ type: 'pkcs1', format: 'pem', ...secret }).toString(),
      'passphrase',
    ],
  ])('is refused if it is %s, and never shown', (_, text, fault) => {
    let error: unknown;
    try {
      readPrivateKey(text);
    } catch (reason) {
      error = reason;
    }
    if (!(error instanceof ScalerError)) throw new Error('was taken');
    expect(error.code).toBe('invalid');
    expect(error.message).toContain(fault);
    expect(error.message).toContain('privateKeyFile');
    for (const line of text.split('\n').filter((part) => part.length > 20 && !part.startsWith('-----'))) {
      expect(error.message).not.toContain(line);
    }
    expect(error.cause).toBeUndefined();
  });
});
