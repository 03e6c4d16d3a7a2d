import { createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { longestTimerMs } from '../../clock.ts';
import { ScalerError } from '../../errors.ts';
import { withoutFinalDot } from '../../server-name.ts';
import { ignored, secret } from '../ignored-keys.ts';
import { type ConnectionKey, leastSecretLength } from '../source.ts';
import { isName, isOf, isRepoName, namesOwner } from './rules/repo-names.ts';

/*
 * A connection: a GitHub owner. The loader has read the files already. For `privateKeyFile`, `tokenFile`,
 * `webhookSecretFile` and `webhookSecretFiles` in the configuration this schema sees the key without `File`, with the
 * content.
 */

/** GitHub's own. GitHub Enterprise Server has `https://HOST/api/v3`, data residency `https://api.SUBDOMAIN.ghe.com`. */
export const githubApiUrl = 'https://api.github.com';

export const scopes = ['org', 'repo', 'ent'] as const;

const text = (doc: string) => z.string().min(1).describe(doc);
const number = (least: number, fallback: number, doc: string) =>
  z.int().min(least).max(longestTimerMs).default(fallback).describe(doc);

const webhookSecret = z
  .string()
  .min(leastSecretLength)
  .regex(/^[^\r\n]*$/, 'must be one line');

/** From the environment it comes as text, sometimes with a line end. */
const appId = z
  .string()
  .trim()
  .regex(/^([1-9]\d{0,15}|Iv[\w.-]{1,100})$/, "must be the App's client ID, such as Iv23abcd, or its App ID");

const app = z.strictObject({
  id: z.union([z.int().min(1), appId]).describe('The client ID (`Iv23…`) or App ID.'),
  installationId: z.int().min(1).exactOptional().describe('Looked up by default.'),
  privateKey: z
    .string()
    .superRefine((key, context) => {
      const message = privateKeyFault(key);
      if (message !== undefined) context.addIssue(message);
    })
    .overwrite((key) => (privateKeyFault(key) === undefined ? readPrivateKey(key) : key))
    .describe('PEM, as GitHub generated it.'),
});

const shape = z.strictObject({
  owner: z
    .string()
    .refine(isName, 'must be the name of an organization, a user or an enterprise')
    .describe('The organization or user, or the slug of the enterprise.'),
  scope: z
    .enum(scopes)
    .default('org')
    .describe('`repo` for a user, `ent` for an enterprise, which needs `repos` to find lost webhooks.'),
  repos: z
    .array(z.string().refine(isRepoName, 'must be a name such as web or acme/web'))
    .min(1)
    .exactOptional()
    .describe('For triggers without their own: `name` or `owner/name`. By default every visible one.'),
  apiUrl: z
    .string()
    .refine(
      (url) => normaliseApiUrl(url) !== undefined,
      'must be the address of an API, such as https://github.example.com/api/v3',
    )
    .overwrite((url) => normaliseApiUrl(url) ?? url)
    .default(githubApiUrl)
    .describe('GitHub Enterprise Server: `https://HOST/api/v3`. GHE.com: `https://api.SUBDOMAIN.ghe.com`.'),
  app: app.exactOptional().describe('The GitHub App. It or `token` is required.'),
  token: text('A personal access token. It cannot request failed deliveries again.').exactOptional(),
  webhookSecret: webhookSecret.exactOptional().describe('Without it, only sweeps find jobs.'),
  webhookSecrets: z.array(webhookSecret).min(1).exactOptional().describe('Several, for a rotation.'),
  verifyQueuedSeconds: number(10, 300, 'How long a queued job may be silent before its run is read.'),
  verifyRunningSeconds: number(1, 1800, 'The same for a running job.'),
  sweepSeconds: number(1, 900, 'How often repositories with events in the last week are read.'),
  sweepAllSeconds: number(1, 21_600, 'The same for all repositories.'),
  deliveriesSeconds: number(1, 120, 'How often failed deliveries are requested again, with `app`.'),
  requestTimeoutMs: number(100, 10_000, 'For GitHub to answer.'),
  maxJobs: number(1, 500_000, 'Open jobs. More are ignored and logged.'),
});

export const githubConfig = shape
  .refine(
    ({ app, token }) => (app === undefined) !== (token === undefined),
    'give app or token, one of the two',
  )
  .refine(
    ({ webhookSecret, webhookSecrets }) => webhookSecret === undefined || webhookSecrets === undefined,
    {
      error: 'give webhookSecret or webhookSecrets, not both',
      path: ['webhookSecrets'],
    },
  )
  .refine(({ scope, repos = [] }) => scope !== 'ent' || repos.every(namesOwner), {
    error: 'must be owner/name, since an enterprise has several owners',
    path: ['repos'],
  })
  .refine(
    ({ scope, owner, repos = [] }) =>
      scope === 'ent' || repos.every((repo) => !namesOwner(repo) || isOf(owner, repo)),
    { error: 'must be repositories of the owner; another owner is another connection', path: ['repos'] },
  );

/** Holds secrets: never logged. */
export type GitHubConfig = z.output<typeof githubConfig>;

/** The secrets that may have signed a webhook. */
export function webhookSecretsOf({ webhookSecret, webhookSecrets }: GitHubConfig): readonly string[] {
  return webhookSecrets ?? (webhookSecret === undefined ? [] : [webhookSecret]);
}

export function sendsSecretInPlaintext({ apiUrl }: GitHubConfig): boolean {
  return apiUrl.startsWith('http:');
}

/** The keys of KEDA's `github-runner` trigger that belong to the connection (github_runner_scaler.go, v2.21). */
export const githubConnectionKeys: Readonly<Record<string, ConnectionKey<GitHubConfig>>> = {
  owner: {
    doc: 'Selects the connection.',
    selects: true,
    agrees: ({ owner }, value) => owner.toLowerCase() === value.toLowerCase(),
  },
  githubApiURL: {
    doc: 'Selects the connection.',
    selects: true,
    agrees: ({ apiUrl }, value) => apiUrl === normaliseApiUrl(value),
  },
  runnerScope: {
    doc: "`repo`, or the connection's scope: `org` or `ent`.",
    selects: false,
    agrees: ({ scope }, value) => value === scope || value === 'repo',
    expected: ({ scope }) => scope,
  },
  applicationID: {
    doc: "Must be the connection's, if set.",
    selects: false,
    // A client ID and an App ID can belong to the same App.
    agrees: ({ app }, value) => app === undefined || isClientId(app.id) || String(app.id) === value.trim(),
  },
  installationID: {
    doc: "Must be the connection's, if set.",
    selects: false,
    agrees: ({ app }, value) =>
      app?.installationId === undefined || String(app.installationId) === value.trim(),
  },
  enableEtags: ignored,
  personalAccessToken: secret,
  appKey: secret,
};

function isClientId(id: number | string): boolean {
  return typeof id === 'string' && id.startsWith('Iv');
}

/** An API address in one spelling, without the last slash. Undefined if it cannot be one. */
export function normaliseApiUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(withoutFinalDot(text));
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) return undefined;
  return url.href.replace(/\/+$/, '');
}

/** What is wrong with the key. Never shows any of it. */
function privateKeyFault(key: string): string | undefined {
  try {
    readPrivateKey(key);
    return undefined;
  } catch (reason) {
    return ScalerError.from(reason).message;
  }
}

const pem = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]+?)-----END \1-----/;

/**
 * An App's private key as PKCS#8 PEM. Accepts what people paste: line breaks written as `\n`, CRLF, lines joined into
 * one, the whole PEM in base64. Throws ScalerError `invalid`, which never shows any of the key.
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
    // OpenSSL's message would help nobody.
    return undefined;
  }
}

function unusable(fault: string): ScalerError {
  return new ScalerError('invalid', `the App's private key (\`app.privateKeyFile\`) ${fault}`);
}
