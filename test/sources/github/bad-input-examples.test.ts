import { describe, expect, it } from 'vitest';
import {
  pingExamples,
  signed,
  type WebhookExample,
  workflowJobExamples,
  workflowRunExamples,
} from '../../support/github/webhook-examples.ts';
import { eventually, hasty, run, Scene, secret, type Test } from '../../support/github-scaler.ts';
import { post } from '../../support/ingest.ts';

const repos = [
  'octo-org/example-workflow',
  'octo-org/octo-repo',
  'Codertocat/Hello-World',
  // In some payloads the owner differs from that in the full name.
  'Octocoders/Hello-World',
  'wolfy1339/github-events-schemas',
  'lineville/elastic-machines-testing',
];
const owners = [...new Set(repos.map((repo) => repo.split('/')[0] ?? ''))];
const [, ...others] = owners;
const examples = [...workflowJobExamples, ...workflowRunExamples];
/** All labels in the examples. */
const everything = { labels: 'gpu,db-app,dc-03,ubuntu-latest,k8s' };

/** A connection for each owner in real payloads, and a job of GitHub's own in each repository. */
async function start(test: Test): Promise<Scene> {
  const scene = await Scene.start(test, {
    github: { owner: owners[0] ?? '', token: 'ghp_1' },
    connection: { ...hasty, owner: owners[0] },
    before: (github) => {
      for (const owner of others) github.addOwner(owner);
      for (const repo of repos) {
        github.addRepo(repo);
        github.seedRun(repo, run(1));
      }
    },
    others: ({ url }) => Object.fromEntries(others.map((owner) => [owner, connectionOf(owner, url)])),
    hook: {},
  });
  for (const [connection, jobs] of truth) await scene.becomes(jobs, { connection, ...everything });
  return scene;
}

function connectionOf(owner: string, apiUrl: string): object {
  return {
    ...hasty,
    source: 'github',
    owner,
    apiUrl,
    tokenFile: 'token',
    webhookSecretFile: 'webhook-secret',
  };
}

const truth: readonly [string, number][] = [
  ['ci', 2],
  ...others.map((owner): [string, number] => [owner, 1]),
];

async function replay(
  scene: Scene,
  what: readonly WebhookExample[],
  change = (text: string) => text,
): Promise<number[]> {
  const answers = what.map(async (example) => {
    const body: Record<string, unknown> = JSON.parse(change(JSON.stringify(example.body)));
    const { raw, headers } = signed({ event: example.event, body }, secret);
    const { status } = await post(scene.ingestPort, { body: raw, headers });
    return status;
  });
  return Promise.all(answers);
}

describe.concurrent('payloads that GitHub has really sent', () => {
  it('are all accepted; years old as they are, none of their jobs counts', async (test) => {
    const scene = await start(test);
    const pollings = truth.map(([connection]) => scene.poll(test, { connection, ...everything }));
    const turns = [examples, [...examples].reverse(), examples];
    for (const turn of turns) expect(await replay(scene, turn)).toEqual(turn.map(() => 202));
    const before = scene.github.requests.length;
    await eventually(() => expect(scene.github.requests.length).toBeGreaterThan(before + 20));
    for (const [index, [, jobs]] of truth.entries()) {
      const numbers = (await pollings[index]?.stop())?.map(({ number }) => number);
      expect(new Set(numbers)).toEqual(new Set([jobs]));
    }
    expect(scene.scaler.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('count if they are from today', async (test) => {
    const scene = await start(test);
    const today = (text: string) =>
      text.replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, `"${new Date().toISOString()}"`);
    const open = workflowJobExamples.filter(({ action }) => action === 'queued' || action === 'in_progress');
    const ofOrg = scene.poll(test, { connection: 'ci', ...everything });
    const ofUser = scene.poll(test, { connection: 'wolfy1339', ...everything });
    expect(await replay(scene, open, today)).toEqual(open.map(() => 202));
    await eventually(() => expect(ofOrg.answers).toContainEqual({ number: 3, active: true }));
    await eventually(() => expect(ofUser.answers).toContainEqual({ number: 2, active: true }));
    // The job of this owner is at a gate.
    await scene.becomes(1, { connection: 'lineville', ...everything });
  });

  it('pings are answered with 200', async (test) => {
    const scene = await start(test);
    expect(await replay(scene, pingExamples)).toEqual(pingExamples.map(() => 200));
  });
});
