import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';

const noting = fileURLToPath(new URL('../support/loaded-packages.mjs', import.meta.url));

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

/** The packages that serve has loaded when it is ready. */
async function loaded(settings: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  await folder.write('token', 'open-sesame-open-sesame');
  await folder.write(
    'config.yaml',
    `grpc: { host: 127.0.0.1, port: 0 }\nadmin: { host: 127.0.0.1, port: 0 }\n${settings}`,
  );
  const args = ['serve', '--config', folder.file];
  const command = new Command(args, { ...env, NODE_OPTIONS: `--import=${noting}` });
  await command.line(({ msg }) => msg === 'ready');
  command.signal('SIGTERM');
  await command.exited;
  return JSON.parse(/^loaded: (.*)$/m.exec(command.stderr)?.[1] ?? '[]');
}

const kafka = 'connections: { orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"] } }';
const sqs = 'connections: { jobs: { source: sqs, region: eu-central-1 } }';
const ofOthers =
  /^(@aws-sdk|@nats-io|@octokit|@smithy|aws-msk-iam|classic-level|cloudevents|ajv|http-proxy-agent|https-proxy-agent)/;

describe('serve loads', () => {
  it("only Kafka's library with Kafka alone", async () => {
    const packages = await loaded(kafka);
    expect(packages).toContain('kafkajs');
    expect(packages.filter((name) => ofOthers.test(name))).toEqual([]);
  });

  it("only AWS's with SQS alone", async () => {
    const packages = await loaded(sqs);
    expect(packages).toContain('@aws-sdk/client-sqs');
    expect(packages).not.toContain('kafkajs');
  });

  it("only NATS's client with NATS alone, at the first read", async () => {
    const packages = await loaded(
      'connections: { stream: { source: nats, servers: ["nats://127.0.0.1:1"] } }',
    );
    expect(packages.filter((name) => ofOthers.test(name))).toEqual([]);
    expect(packages).not.toContain('kafkajs');
  });

  it('everything else on demand', async () => {
    const ingest =
      'ingest: { host: 127.0.0.1, port: 0, tokens: [{ name: a, tokenFile: token, connections: [jobs] }] }';
    const more = `${ingest}\neventLog: { type: file, dir: events }\n${sqs}`;
    const packages = await loaded(more, { HTTPS_PROXY: 'http://127.0.0.1:1' });
    expect(packages).toEqual(expect.arrayContaining(['cloudevents', 'classic-level', 'https-proxy-agent']));
  });
});
