import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../fakes/ports.ts';
import { makeCertificates } from '../support/certificates.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { connectProxy } from '../support/connect-proxy.ts';
import { ref, TestClient } from '../support/rpc-client.ts';
import { deliver, makeSigner, signedMessage, subscribeUrl, topic } from '../support/sns.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

const outside = [
  'sqs.eu-central-1.amazonaws.com',
  'sts.eu-central-1.amazonaws.com',
  'sns.eu-central-1.amazonaws.com',
  'api.github.com',
  'sink.test',
];

it('serve reaches AWS, GitHub, SNS and its sink if a proxy is the only way out', async () => {
  const signer = makeSigner();
  const { port, ca, heard } = await theInternet(signer.certificate);
  const proxy = await connectProxy(Object.fromEntries(outside.map((host) => [host, port])));
  await folder.write('token', 'ghp_0123456789abcdef0123456789abcdef0123');
  await folder.write(
    'config.yaml',
    `grpc: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
ingest: { host: 127.0.0.1, port: 0 }
decisions: { sink: "https://sink.test/decisions", flushMs: 1 }
connections:
  jobs:
    source: sqs
    region: eu-central-1
    roleArn: arn:aws:iam::123456789012:role/scaler
    snsTopics: ["${topic}"]
  ci: { source: github, owner: acme, tokenFile: token }
`,
  );
  const command = new Command(['serve', '--config', folder.file], {
    HTTPS_PROXY: proxy.url,
    NO_PROXY: 'localhost,127.0.0.1',
    NODE_EXTRA_CA_CERTS: ca,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'hunter2',
  });
  const client = new TestClient(`127.0.0.1:${await command.port('grpc')}`, credentials.createInsecure());
  onTestFinished(() => {
    client.close();
    command.signal('SIGKILL');
  });
  const queue = { source: 'sqs', queueURL: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders' };
  expect(await client.isActive(ref('worker', queue))).toEqual({ result: true });

  await deliver(await command.port('ingest'), signedMessage('SubscriptionConfirmation', signer));
  await command.line(({ msg }) => msg === 'a subscription of an SNS topic was confirmed');
  await expect.poll(() => proxied(proxy.asked), { timeout: 30_000 }).toEqual(outside.toSorted());
  await expect
    .poll(() => heard)
    .toEqual(expect.arrayContaining(['POST sink.test/decisions', `GET ${subscribeUrl().slice(8)}`]));
  expect(new Set(proxy.authorizations)).toEqual(new Set([`Basic ${btoa('scaler:s3cret')}`]));
  expect(command.stdout + command.stderr).not.toContain('s3cret');
});

function proxied(asked: readonly string[]): string[] {
  const hosts = asked.map((one) => one.replace(/^CONNECT (.*):443$/, '$1'));
  return [...new Set(hosts)].toSorted();
}

/** A server that plays all of these hosts. */
async function theInternet(certificate: string) {
  const names = outside.map((host) => `DNS:${host}`).join(',');
  const { ca, server: pair } = makeCertificates(folder.path, { serverAltNames: names });
  const heard: string[] = [];
  const server = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) });
  server.on('request', async (request, response) => {
    await text(request);
    const { host = '' } = request.headers;
    heard.push(`${request.method} ${host}${request.url}`);
    if (host.startsWith('sqs')) return response.end(JSON.stringify({ Attributes: counts }));
    if (host.startsWith('sts')) return response.setHeader('content-type', 'text/xml').end(assumed());
    if (host.startsWith('sns')) return response.end(request.url?.endsWith('.pem') ? certificate : '<ok/>');
    return response.writeHead(host === 'sink.test' ? 202 : 503).end();
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, ca, heard };
}

const counts = {
  ApproximateNumberOfMessages: '20',
  ApproximateNumberOfMessagesNotVisible: '0',
  ApproximateNumberOfMessagesDelayed: '0',
};

function assumed(): string {
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
    <Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
