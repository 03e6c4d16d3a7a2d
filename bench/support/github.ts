import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import type { Checkout } from './checkout.ts';
import { connection, owner } from './github-pools.ts';
import type { ScalerProcess } from './scaler.ts';

export const token = 'ghp_bench';
const secret = 'bench-bench-bench';

const app = { id: 123_456, installationId: 7_654_321 };

/** A GitHub in this process with the repositories `repo-0` …, an App, and a token that may read them. */
export async function startGitHub(repositories: number, now: () => number = Date.now): Promise<FakeGitHub> {
  const github = await FakeGitHub.start({ owner, token, app, now });
  for (let index = 0; index < repositories; index++) github.addRepo(`repo-${index}`);
  return github;
}

/** Lifts the hourly limit of this GitHub for all credentials. */
export function unlimited(github: FakeGitHub): void {
  const limit = 100_000_000;
  github.faults.rateLimit({ limit, remaining: limit, resetSeconds: 86_400 });
}

interface ServeOptions {
  readonly firstSyncTimeoutSeconds: number;
  readonly apiUrl?: string;
  /** Whether GitHub sends webhooks to it. */
  readonly hooked?: boolean;
  /** Further settings. */
  readonly more?: object;
}

/** Runs `serve` with one connection to this GitHub, which sends webhooks back. */
export async function serveGitHub(
  checkout: Checkout,
  github: FakeGitHub,
  { firstSyncTimeoutSeconds, apiUrl = github.url, hooked = true, more = {} }: ServeOptions,
): Promise<ScalerProcess> {
  const scaler = await checkout.serve({
    security: { allowPlaintextSecrets: true },
    limits: { firstSyncTimeoutSeconds },
    connections: {
      [connection]: { source: 'github', owner, apiUrl, token, webhookSecret: secret },
    },
    ...more,
  });
  if (hooked) github.hook({ url: `${scaler.ingestUrl}/ingest/github`, secret });
  return scaler;
}
