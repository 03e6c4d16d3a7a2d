import { describe, expect, it } from 'vitest';
import { natsSendsSecretInPlaintext } from '../../../../src/outbound/nats.ts';
import { natsConfig, placeOf } from '../../../../src/sources/nats/config.ts';

const base = { servers: ['nats://a:4222'] };
const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url');

/** A file as nsc writes it. Nobody checks its signature. */
function creds(claims: object): string {
  const jwt = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}.c2ln`;
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\nSUAB\n------END USER NKEY SEED------\n`;
}

const faults = (settings: object): string[] =>
  (natsConfig.safeParse({ ...base, ...settings }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

describe('a connection', () => {
  it('needs servers alone', () => {
    expect(natsConfig.parse(base)).toMatchObject({
      activeReadMs: 1000,
      reconcileSeconds: 30,
      maxRequests: 64,
    });
  });

  it.each([
    [{ servers: [] }, 'servers: '],
    [{ servers: ['http://a:8222'] }, 'servers.0: must be nats://host:port'],
    [
      { servers: ['nats://u:p@a:4222'] },
      'servers.0: must be nats://host:port or tls://host:port, without user',
    ],
    [{ domain: 'a.b' }, 'domain: must be a name'],
    [{ username: 'u' }, 'username: needs password'],
    [{ username: 'u', password: 'p', token: 't' }, 'credentials: give one of'],
    [{ credentials: 'a token' }, 'credentials: must be a .creds file'],
    [{ activeReadMs: 5 }, 'activeReadMs: '],
  ])('with %j is refused', (settings, fault) => {
    expect(faults(settings)).toEqual([expect.stringContaining(fault)]);
  });
});

describe('the place', () => {
  const of = (claims: object) => placeOf(natsConfig.parse({ ...base, credentials: creds(claims) }));

  it('is that of the account that has signed the user, itself or by a key of its own', () => {
    expect(of({ iss: 'AKEY', nats: { issuer_account: 'ACCOUNT' } })).toMatchObject({
      part: { account: 'ACCOUNT' },
    });
    expect(of({ iss: 'ACCOUNT', sub: 'UONE', nats: {} })).toEqual(
      of({ iss: 'ACCOUNT', sub: 'UTWO', nats: {} }),
    );
    expect(of({ iss: 'OTHER', nats: {} })).not.toEqual(of({ iss: 'ACCOUNT', nats: {} }));
  });

  it('holds no secret, whatever the file is', () => {
    expect(JSON.stringify(of({}))).not.toContain('SUAB');
    expect(placeOf(natsConfig.parse({ ...base, credentials: '-----BEGIN USER NKEY SEED-----' }))).toEqual({
      addresses: base.servers,
      part: {},
    });
  });
});

it.each([
  [{}, false],
  [{ username: 'u', password: 'p' }, true],
  [{ token: 't' }, true],
  [{ token: 't', tls: true }, false],
  [{ token: 't', servers: ['tls://a:4222'] }, false],
  [{ token: 't', servers: ['tls://a:4222', 'nats://b:4222'] }, true],
  [{ credentials: creds({}) }, false],
])('%j sends a secret without TLS: %s', (settings, sends) => {
  expect(natsSendsSecretInPlaintext(natsConfig.parse({ ...base, ...settings }))).toBe(sends);
});
