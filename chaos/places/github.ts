import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGitHub, unlimited } from '../../bench/support/github.ts';
import { connection, labelsFor, owner, runners } from '../../bench/support/github-pools.ts';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { type Backlog, names, type Place, type Surroundings } from './place.ts';

const repositories = 3;
const webhookSecret = 'chaos-chaos-chaos';
/** How often REST is read. Two such reads find what webhooks have missed. */
export const sweepSeconds = 2;
/** The least time before queued jobs are verified. */
const verifyQueuedSeconds = 10;
const boundMs = 3000;

/** A GitHub in this process, and an App that reads it and can request failed deliveries again. */
export class GitHubPlace implements Place {
  readonly hub: FakeGitHub;
  /** How many jobs and runs there have been. */
  started = 0;
  private readonly tell: Surroundings['tell'];

  static async start({ tell, ingestUrl }: Surroundings): Promise<GitHubPlace> {
    const hub = await startGitHub(repositories);
    unlimited(hub);
    hub.hook({ url: `${ingestUrl}/ingest/github`, secret: webhookSecret });
    return new GitHubPlace(hub, tell);
  }

  private constructor(hub: FakeGitHub, tell: Surroundings['tell']) {
    this.hub = hub;
    this.tell = tell;
  }

  async connections(directory: string) {
    const { app, url: apiUrl } = this.hub;
    const privateKeyFile = join(directory, 'app.pem');
    await writeFile(privateKeyFile, app?.privateKey ?? '');
    const ci = {
      source: 'github',
      owner,
      apiUrl,
      app: { id: app?.id, installationId: app?.installationId, privateKeyFile },
      webhookSecret,
      sweepSeconds,
      sweepAllSeconds: 2 * sweepSeconds,
      verifyQueuedSeconds,
      verifyRunningSeconds: 2 * sweepSeconds,
      deliveriesSeconds: 2,
    };
    return { [connection]: ci };
  }

  async make(count: number): Promise<Backlog[]> {
    return names('pool', count).map((pool) => this.pool(pool));
  }

  close(): Promise<void> {
    return this.hub.close();
  }

  private pool(pool: string): Backlog {
    const { hub, tell } = this;
    const name = `jobs of ${pool}`;
    let open: number[] = [];
    let runs = 0;
    const say = () => tell(name, { least: open.length, most: open.length });
    const maxStalenessMs = (3 * sweepSeconds + verifyQueuedSeconds) * 1000;
    return {
      subject: { name, boundMs, maxStalenessMs },
      reference: runners(pool),
      grow: async (items) => {
        const jobs = Array.from({ length: items }, () => ({ labels: labelsFor(pool) }));
        const run = hub.startRun(`repo-${runs++ % repositories}`, { jobs });
        open.push(...run.jobs.map(({ id }) => id));
        this.started += 1 + run.jobs.length;
        say();
      },
      async empty() {
        const done = open;
        open = [];
        for (const id of done) hub.pick(id);
        for (const id of done) hub.complete(id);
        say();
      },
    };
  }
}
