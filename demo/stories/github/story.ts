import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import { BacklogSampler } from '../../backlog-sampler.ts';
import { startScaler } from '../../in-process-scaler.ts';
import { demoSpeed } from '../../pace.ts';
import { Stage } from '../../stage.ts';
import type { Story, Telling } from '../../story.ts';
import { type Summary, summarize, type Words } from '../../summary.ts';
import { Workers } from '../../workers.ts';
import { play } from './plot.ts';
import { Repository } from './repository.ts';
import { scenario } from './scenario.ts';

const words: Words = { waker: 'the webhook', counted: 'it was posted', upstream: 'GitHub' };
const app = { id: 123_456, installationId: 7_890 };

/** A GitHub in this process, and as many runners as KEDA wants. */
export const githubStory: Story = {
  name: 'github',
  speed: demoSpeed,
  fullBar: scenario.jobs,
  missing: async () => undefined,
  tell,
};

async function tell(telling: Telling): Promise<Summary> {
  const { screen, ending } = telling;
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-github-'));
  ending.push(() => rm(directory, { recursive: true, force: true }));
  const github = await FakeGitHub.start({ owner: scenario.owner, app });
  ending.push(() => github.close());
  const repository = new Repository(github);
  const secret = randomBytes(32).toString('hex');
  const scaler = await startScaler({ directory, connection: await connectionTo(github, secret, directory) });
  ending.push(() => scaler.stop());
  github.ping(github.hook({ url: `${scaler.ingestUrl}/github`, secret }));
  await github.delivered();
  screen.event(
    `GitHub's part is played by a REST API on ${github.url}, whose webhooks are signed and posted.`,
  );
  screen.event(
    `The scaler has read it, listens on ${scaler.address} and takes webhooks on ${scaler.ingestUrl}.`,
  );
  screen.page(scaler.pageUrl);

  const workload = new Workers(repository, 'runner');
  ending.push(() => workload.close());
  const backlog = new BacklogSampler(() => repository.open());
  ending.push(() => backlog.close());
  const { owner, repo, label, maxReplicaCount, maxStalenessSeconds } = scenario;
  const reference = {
    namespace: 'demo',
    name: 'runners',
    scalerMetadata: {
      source: 'github',
      owner,
      repos: repo,
      runnerScope: 'org',
      labels: label,
      maxStalenessSeconds: String(maxStalenessSeconds),
    },
  };
  const { address } = scaler;
  const stage = new Stage({ address, reference, workload, backlog, maxReplicaCount }, telling);
  const { outcome, further } = await play({ stage, repository, backlog });
  const [rpcsAnswered, requestsSent] = await Promise.all([scaler.rpcsAnswered(), scaler.requestsSent()]);
  return summarize({ ...outcome, rpcsAnswered, requestsSent }, words, further);
}

/** The connection, with its secrets in files, as if mounted from a Secret. */
async function connectionTo(github: FakeGitHub, secret: string, directory: string) {
  await writeFile(join(directory, 'private-key.pem'), github.app?.privateKey ?? '', { mode: 0o600 });
  await writeFile(join(directory, 'webhook-secret'), secret, { mode: 0o600 });
  return {
    source: 'github',
    owner: scenario.owner,
    apiUrl: github.url,
    app: { id: app.id, privateKeyFile: 'private-key.pem' },
    webhookSecretFile: 'webhook-secret',
    sweepSeconds: scenario.maxStalenessSeconds / 2,
  };
}
