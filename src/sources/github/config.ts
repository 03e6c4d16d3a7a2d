import { z } from 'zod';
import { ScalerError } from '../../errors.ts';
import { leastSecretLength } from '../source.ts';
import { githubApiUrl, normaliseApiUrl } from './api-url.ts';
import { isName, isOf, isRepoName, namesOwner } from './repo-names.ts';
import { readPrivateKey } from './rest/private-key.ts';

/*
 * A GitHub owner as the configuration file has it, after the loader has read the files: where the file says
 * `privateKeyFile`, `tokenFile` or `webhookSecretFile`, this schema sees the key without `File`, and
 * `webhookSecrets` for `webhookSecretFiles`.
 */

export const scopes = ['org', 'repo', 'ent'] as const;

const text = (doc: string) => z.string().min(1).describe(doc);
const number = (least: number, fallback: number, doc: string) =>
  z.int().min(least).default(fallback).describe(doc);

const webhookSecret = z.string().min(leastSecretLength);

const app = z.strictObject({
  id: z.int().min(1).describe("The App's id (App ID on its settings page)."),
  installationId: z
    .int()
    .min(1)
    .exactOptional()
    .describe('Its installation on the owner; looked up, or taken from a webhook, where it is left out.'),
  privateKey: z
    .string()
    .superRefine((key, context) => {
      const message = privateKeyFault(key);
      if (message !== undefined) context.addIssue(message);
    })
    .describe('PEM of a private key of the App, as GitHub gave it.'),
});

const shape = z.strictObject({
  owner: z
    .string()
    .refine(isName, 'must be the name of an organization, a user or an enterprise')
    .describe('The organization or user that has the repositories, or the slug of the enterprise.'),
  scope: z
    .enum(scopes)
    .default('org')
    .describe(
      'What the owner is: `org` an organization, `repo` a user, `ent` an enterprise. GitHub has no list of what an enterprise has: with `ent`, `repos` says what is reconciled.',
    ),
  repos: z
    .array(z.string().refine(isRepoName, 'must be a name such as web or acme/web'))
    .min(1)
    .exactOptional()
    .describe(
      'The repositories that triggers without `repos` mean, as `name` or `owner/name`; all that we may see where it is left out.',
    ),
  apiUrl: z
    .string()
    .refine(
      (url) => normaliseApiUrl(url) !== undefined,
      'must be the address of an API, such as https://github.example.com/api/v3',
    )
    .overwrite((url) => normaliseApiUrl(url) ?? url)
    .default(githubApiUrl)
    .describe(
      '`https://HOST/api/v3` for GitHub Enterprise Server, `https://api.SUBDOMAIN.ghe.com` for GHE.com.',
    ),
  app: app.exactOptional().describe('The GitHub App that reads; it or `token` is required.'),
  token: text(
    'A personal access token that may read actions and metadata. Failed deliveries cannot be asked for with one.',
  ).exactOptional(),
  webhookSecret: webhookSecret
    .exactOptional()
    .describe('The secret of the webhook. Without one, jobs are only seen by sweeps.'),
  webhookSecrets: z
    .array(webhookSecret)
    .min(1)
    .exactOptional()
    .describe('Instead of one: several secrets that are good at a time, while one is replaced.'),
  verifyQueuedSeconds: number(
    10,
    300,
    'How long a queued job may be silent before its run is asked for, in s.',
  ),
  verifyRunningSeconds: number(1, 1800, 'The same for a running job, in s.'),
  sweepSeconds: number(
    1,
    900,
    'How often repositories that had events in the last week are read in full, in s.',
  ),
  sweepAllSeconds: number(1, 21_600, 'How often all repositories are read in full, in s.'),
  deliveriesSeconds: number(
    1,
    120,
    'How often GitHub is asked for deliveries that failed, to have them sent again, in s. Only with `app`.',
  ),
  requestTimeoutMs: number(100, 10_000, 'The longest that GitHub may take to answer.'),
  maxJobs: number(1, 500_000, 'The most open jobs that are held; more are left out, and the log says so.'),
});

/** What is wrong with the key; never shows any of it. */
function privateKeyFault(key: string): string | undefined {
  try {
    readPrivateKey(key);
    return undefined;
  } catch (reason) {
    return ScalerError.from(reason).message;
  }
}

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
