import { credentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { honestWebhooks } from '../../fakes/senders/honest.ts';
import { attack, type HostileName, hostileSenders } from '../../fakes/senders/hostile.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { token, workItems } from '../support/events/event-posts.ts';
import { ref, TestClient } from '../support/rpc-client.ts';
import { topic } from '../support/sns.ts';

const server = { host: '127.0.0.1', port: 0 };
const secret = 'it is a long secret';
const github = {
  source: 'github',
  owner: 'acme',
  token: 't',
  webhookSecret: secret,
  // Nothing listens there, so jobs come only by webhook.
  apiUrl: 'http://127.0.0.1:9',
};

async function serve() {
  const folder = await ConfigFolder.make();
  const settings = {
    grpc: server,
    admin: server,
    ingest: { ...server, tokens: [{ name: 'tenant', token, connections: ['builds'] }] },
    eventLog: { type: 'file', dir: 'events', maxEvents: 20_000 },
    limits: { firstSyncTimeoutSeconds: 1 },
    security: { allowPlaintextSecrets: true },
    connections: {
      ci: github,
      builds: { source: 'events', ttlSeconds: 3600, items: workItems },
      jobs: { source: 'sqs', region: 'eu-central-1', snsTopics: [topic] },
    },
  };
  await folder.write('config.yaml', stringify(settings));
  const command = new Command(['serve', '--config', folder.file]);
  onTestFinished(async () => {
    command.signal('SIGKILL');
    await command.exited;
    await folder.remove();
  });
  await command.line(({ msg }) => msg === 'ready');
  const client = new TestClient(`127.0.0.1:${await command.port('grpc')}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return { port: await command.port('ingest'), admin: await command.port('admin'), client };
}

const all = Object.keys(hostileSenders) as HostileName[];

it.each([...all.map((name) => [name, [name]] as const), ['all of them at once', all] as const])(
  'no honest webhook is lost beside %s',
  async (_, names) => {
    const { port, admin, client } = await serve();
    const target = { port, connection: 'builds', token, snsConnection: 'jobs', snsTopic: topic };
    const attacks = attack(names, target);
    const count = 400;
    const honest = { port, path: '/ingest/github/ci', secret, owner: 'acme' };
    const { tookMs, lost } = await honestWebhooks(honest, { perSecond: 200, count });
    const done = await attacks.stop();
    expect(lost).toEqual([]);
    expect(tookMs).toHaveLength(count);
    for (const name of names) expect([name, (done.get(name) ?? 0) > 0]).toEqual([name, true]);
    // They were accepted, and have had their effect.
    expect((await client.isActive(ref('runners', { source: 'github', connection: 'ci' }))).result).toBe(true);
    expect((await fetch(`http://127.0.0.1:${admin}/livez`)).status).toBe(200);
  },
);
