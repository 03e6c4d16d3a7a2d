import { ignored, secret } from '../ignored-keys.ts';
import type { ConnectionKey } from '../source.ts';
import { normaliseApiUrl } from './api-url.ts';
import type { GitHubConfig } from './config.ts';

/** The keys of KEDA's `github-runner` trigger that belong to the connection (github_runner_scaler.go, v2.21). */
export const githubConnectionKeys: Readonly<Record<string, ConnectionKey<GitHubConfig>>> = {
  owner: {
    doc: 'Picks the connection of this owner.',
    selects: true,
    agrees: ({ owner }, value) => owner.toLowerCase() === value.toLowerCase(),
  },
  githubApiURL: {
    doc: 'Picks the connection to this API.',
    selects: true,
    agrees: ({ apiUrl }, value) => apiUrl === normaliseApiUrl(value),
  },
  runnerScope: {
    doc: "org, ent or repo; must be the connection's scope, or `repo`, which fits every one.",
    selects: false,
    agrees: ({ scope }, value) => value === scope || value === 'repo',
  },
  applicationID: {
    doc: "Must be the connection's App, where it has one.",
    selects: false,
    agrees: ({ app }, value) => app === undefined || String(app.id) === value,
  },
  installationID: {
    doc: "Must be the connection's installation, where it names one.",
    selects: false,
    agrees: ({ app }, value) => app?.installationId === undefined || String(app.installationId) === value,
  },
  enableEtags: ignored('ETags are always used; ignored.'),
  personalAccessToken: secret,
  appKey: secret,
};
