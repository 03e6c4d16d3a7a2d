import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { withOracle } from '../support/github/openapi-oracle.ts';
import { type Answered, ask, Polling, tooLow } from '../support/github-keda.ts';
import { app, hasty, run, secret } from '../support/github-scaler.ts';
import { ref, TestClient } from '../support/rpc-client.ts';

let folder: ConfigFolder;
let github: FakeGitHub;
let violations: readonly string[];
let running: Command | undefined;
let client: TestClient | undefined;

beforeEach(async () => {
  folder = await ConfigFolder.make();
  github = await FakeGitHub.start({ owner: 'acme', app });
  ({ violations } = withOracle(github));
});
afterEach(async () => {
  client?.close();
  running?.signal('SIGKILL');
  await running?.exited;
  await github.close();
  await folder.remove();
  expect(violations).toEqual([]);
});

/** `serve` as a process of its own, with this GitHub. */
async function serve(settings: object = {}): Promise<Command> {
  const server = { host: '127.0.0.1', port: 0 };
  const ci = {
    source: 'github',
    owner: 'acme',
    apiUrl: github.url,
    app: { id: app.id, privateKeyFile: 'app.pem' },
    webhookSecretFile: 'webhook-secret',
    ...hasty,
    ...settings,
  };
  await folder.write('app.pem', github.app?.privateKey ?? '');
  await folder.write('webhook-secret', secret);
  const security = { allowPlaintextSecrets: true };
  const config = { grpc: server, admin: server, ingest: server, security, connections: { ci } };
  await folder.write('config.yaml', stringify(config));
  const command = new Command(['serve', '--config', folder.file]);
  running = command;
  client = new TestClient(`127.0.0.1:${await command.port('grpc')}`, credentials.createInsecure());
  const url = `http://127.0.0.1:${await command.port('ingest')}/ingest/github`;
  github.hook({ url, secret });
  return command;
}

function trigger(repos: string) {
  const given = { source: 'github', connection: 'ci', maxStalenessSeconds: '3' };
  return ref(`runners-${repos}`, repos === '' ? given : { ...given, repos });
}

async function asked(repos = ''): Promise<Answered> {
  if (client === undefined) throw new Error('nothing serves');
  return ask(client, trigger(repos));
}

function poll(repos: string): Polling {
  if (client === undefined) throw new Error('nothing serves');
  return new Polling(client, trigger(repos));
}

async function becomes(number: number | string, repos = ''): Promise<void> {
  const active = typeof number === 'string' ? number : number > 0;
  await vi.waitFor(async () => expect(await asked(repos)).toEqual({ number, active }), {
    timeout: 60_000,
    interval: 50,
  });
}

/** Resolves when the trigger's error gives this reason. */
async function becomesKnownAs(why: RegExp, repos = ''): Promise<void> {
  const check = () =>
    expect(client?.getMetrics(trigger(repos), '')).rejects.toMatchObject({
      details: expect.stringMatching(why),
    });
  await vi.waitFor(check, { timeout: 60_000, interval: 50 });
}

describe('a repository that is renamed while jobs wait', () => {
  it('counts them by both names from then on, never as zero, and logs that once', async () => {
    github.addRepo('web');
    github.addRepo('api');
    const command = await serve();
    const { jobs } = github.startRun('web', run(3));
    for (const repos of ['web', '']) await becomes(3, repos);
    github.renameRepo('web', 'shop');
    const sweeps = () => github.requests.filter(({ path }) => path.includes('/shop/actions/runs?')).length;
    await becomes(3, 'shop');
    const polling = ['shop', 'web', 'shop,web', ''].map((repos) => poll(repos));
    // By list, redirect and new name.
    const enough = sweeps() + 6;
    await vi.waitFor(() => expect(sweeps()).toBeGreaterThan(enough), { timeout: 60_000, interval: 50 });
    for (const each of polling) {
      const answers = await each.stop();
      expect(tooLow(answers, 3)).toEqual([]);
      expect(answers.at(-1)).toEqual({ number: 3, active: true });
    }
    github.pick(jobs[0]?.id ?? 0);
    github.complete(jobs[0]?.id ?? 0);
    for (const repos of ['shop', 'web', '']) await becomes(2, repos);
    const lines = command.stdout.split('\n').filter((line) => line.includes('was renamed'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/acme\/web.*acme\/shop/);
  });

  it('to another owner no longer counts here', async () => {
    github.addRepo('web');
    github.addRepo('api');
    github.addOwner('labs', { installationId: 3 });
    await serve();
    github.startRun('web', run(3));
    for (const repos of ['web', '']) await becomes(3, repos);
    github.transferRepo('web', 'labs');
    await becomes(0);
    await becomes('NOT_FOUND', 'web');
  });
});

describe('an App that sees none of the owner’s repositories', () => {
  it('because the installation belongs to another owner: which settings contradict each other, never a zero', async () => {
    github.addRepo('web');
    github.addOwner('labs', { installationId: 3 });
    github.addRepo('labs/web');
    const command = await serve({ app: { id: app.id, privateKeyFile: 'app.pem', installationId: 3 } });
    for (const repos of ['', 'web']) {
      await becomes('UNAVAILABLE', repos);
      await becomesKnownAs(/`app.installationId` 3 is .* on labs, not on .*`owner` acme/, repos);
    }
    await command.line((line) => String(line['error']).includes('`app.installationId` 3'));
  });

  it('because it has no repository at all: what to grant, never a zero, and then the number', async () => {
    await serve();
    await becomes('UNAVAILABLE');
    await becomesKnownAs(/shows no repository of acme/);
    github.addRepo('web');
    await becomes(0);
  });
});
