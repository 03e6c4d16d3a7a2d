import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  githubConfig,
  sendsSecretInPlaintext,
  webhookSecretsOf,
} from '../../../../src/sources/github/config.ts';

const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' } } as const;
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  ...pem,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const { privateKey: elliptic, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  ...pem,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const least = { owner: 'acme', token: 'ghp_x' };
const withApp = (app: object) => ({ token: undefined, app: { id: 1, privateKey, ...app } });

/** The place of each fault, and its message. */
function faults(entry: object): string[] {
  const given = Object.entries({ ...least, ...entry }).filter(([, value]) => value !== undefined);
  const { error } = githubConfig.safeParse(Object.fromEntries(given));
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a github connection', () => {
  it('needs only an owner and credentials', () => {
    expect(githubConfig.parse(least)).toEqual({
      owner: 'acme',
      scope: 'org',
      apiUrl: 'https://api.github.com',
      token: 'ghp_x',
      verifyQueuedSeconds: 300,
      verifyRunningSeconds: 1800,
      sweepSeconds: 900,
      sweepAllSeconds: 21_600,
      deliveriesSeconds: 120,
      requestTimeoutMs: 10_000,
      maxJobs: 500_000,
    });
  });

  it.each([
    ['https://api.github.com/', 'https://api.github.com'],
    ['https://GitHub.Acme.example:443/api/v3//', 'https://github.acme.example/api/v3'],
    ['https://api.acme.ghe.com', 'https://api.acme.ghe.com'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ])('resolves %s to %s', (apiUrl, normalised) => {
    expect(githubConfig.parse({ ...least, apiUrl }).apiUrl).toBe(normalised);
  });

  it.each([
    ['an App', withApp({})],
    ['an App with its installation', withApp({ installationId: 2 })],
    ['an App by its client id, which GitHub recommends', withApp({ id: 'Iv23liAbCd_9' })],
    ['an App by a client id of before', withApp({ id: 'Iv1.0123456789abcdef' })],
    ['a key with its line ends written out', withApp({ privateKey: privateKey.replaceAll('\n', '\\n') })],
    ['repositories in both spellings', { repos: ['web', 'Acme/api'] }],
    ['an enterprise', { scope: 'ent', repos: ['acme/web', 'labs/web'] }],
  ])('may have %s', (_, entry) => {
    expect(faults(entry)).toEqual([]);
  });

  it.each([
    [123456, 123456],
    ['123456\n', '123456'],
    [' Iv23liAbCd_9\r\n', 'Iv23liAbCd_9'],
  ])('resolves the App %j to %j', (id, read) => {
    const config = githubConfig.parse({ owner: 'acme', app: { id, privateKey } });
    expect(config.app?.id).toBe(read);
  });

  it.each([
    [{ token: undefined }, ': give app or token, one of the two'],
    [{ app: { id: 1, privateKey } }, ': give app or token, one of the two'],
    [{ owner: 'acme/web' }, 'owner: must be the name of an organization, a user or an enterprise'],
    [{ owner: '..' }, 'owner: must be the name of an organization, a user or an enterprise'],
    [
      { apiUrl: 'github.com' },
      'apiUrl: must be the address of an API, such as https://github.example.com/api/v3',
    ],
    [
      { apiUrl: 'ftp://github.com' },
      'apiUrl: must be the address of an API, such as https://github.example.com/api/v3',
    ],
    [
      { apiUrl: 'https://me:secret@github.example.com' },
      'apiUrl: must be the address of an API, such as https://github.example.com/api/v3',
    ],
    [{ repos: ['..'] }, 'repos.0: must be a name such as web or acme/web'],
    [
      { repos: ['labs/web'] },
      'repos: must be repositories of the owner; another owner is another connection',
    ],
    [{ scope: 'ent', repos: ['web'] }, 'repos: must be owner/name, since an enterprise has several owners'],
    [
      { webhookSecret: 'a-secret-of-ours-1', webhookSecrets: ['a-secret-of-ours-2'] },
      'webhookSecrets: give webhookSecret or webhookSecrets, not both',
    ],
  ])('refuses %j', (entry, fault) => {
    expect(faults(entry)).toEqual([fault]);
  });

  it.each([
    [{ scope: 'enterprise' }, 'scope'],
    [{ repos: [] }, 'repos'],
    [{ token: '' }, 'token'],
    [{ webhookSecret: 'cut' }, 'webhookSecret'],
    [{ webhookSecret: 'a-secret-of-ours-1\na-secret-of-ours-2' }, 'webhookSecret'],
    [{ webhookSecrets: [] }, 'webhookSecrets'],
    [{ webhookSecrets: ['cut'] }, 'webhookSecrets.0'],
    [withApp({ id: 0 }), 'app.id'],
    [withApp({ id: 'our-app' }), 'app.id'],
    [withApp({ id: '0' }), 'app.id'],
    [withApp({ id: 'Iv23 x' }), 'app.id'],
    [withApp({ installationId: 1.5 }), 'app.installationId'],
    [withApp({ appId: 1 }), 'app'],
    [{ sweepSeconds: 0 }, 'sweepSeconds'],
    [{ sweepAllSeconds: -1 }, 'sweepAllSeconds'],
    [{ verifyQueuedSeconds: 0 }, 'verifyQueuedSeconds'],
    [{ verifyRunningSeconds: 0.5 }, 'verifyRunningSeconds'],
    [{ deliveriesSeconds: 0 }, 'deliveriesSeconds'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs'],
    [{ maxJobs: 0 }, 'maxJobs'],
    [{ webhookSecretFile: 'x' }, ''],
  ])('refuses %j at %s', (entry, path) => {
    const found = faults(entry);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(`${path}: `)).toBe(true);
  });

  it.each([
    ['no key', 'hunter2-hunter2'],
    ['a certificate', `-----BEGIN CERTIFICATE-----\n${'A'.repeat(64)}\n-----END CERTIFICATE-----`],
    ['a public key', publicKey],
    ['a key of another kind', elliptic],
    ['half a key', privateKey.slice(0, privateKey.length / 2)],
  ])('refuses %s as its private key, without showing it', (_, text) => {
    const found = faults(withApp({ privateKey: text }));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^app\.privateKey: .*key/);
    for (const line of text.split('\n').filter((one) => !/^(-----.*)?$/.test(one)))
      expect(found[0]).not.toContain(line);
  });
});

describe('the secrets of a github connection', () => {
  it('for signing webhooks are none, one, or several while one is replaced', () => {
    const secrets = (entry: object) => webhookSecretsOf(githubConfig.parse({ ...least, ...entry }));
    expect(secrets({})).toEqual([]);
    expect(secrets({ webhookSecret: 'a-secret-of-ours-1' })).toEqual(['a-secret-of-ours-1']);
    expect(secrets({ webhookSecrets: ['a-secret-of-ours-1', 'a-secret-of-ours-2'] })).toEqual([
      'a-secret-of-ours-1',
      'a-secret-of-ours-2',
    ]);
  });

  it.each([
    ['https://api.github.com', false],
    ['http://github.internal/api/v3', true],
    ['http://127.0.0.1:1', true],
  ])('at %s travel in plaintext: %s', (apiUrl, plaintext) => {
    expect(sendsSecretInPlaintext(githubConfig.parse({ ...least, apiUrl }))).toBe(plaintext);
  });
});
