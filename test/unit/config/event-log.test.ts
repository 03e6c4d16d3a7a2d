import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigFolder, faultsOf, loaded } from '../../support/config-folder.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

async function load(eventLog: string, more = '') {
  const connections = 'connections:\n  a: { source: place, address: here }\n';
  await folder.write('config.yaml', `eventLog: { type: nats, ${eventLog} }\n${connections}${more}`);
  return folder.load();
}

it('has the documented defaults', async () => {
  expect(loaded(await load('servers: ["nats://nats:4222"]')).start.eventLog).toEqual({
    type: 'nats',
    servers: ['nats://nats:4222'],
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    stream: 'backlog-scaler',
    replicas: 1,
    retentionSeconds: 259_200,
    maxEventsPerConnection: 100_000,
    maxBytes: 1_073_741_824,
    maxBuffered: 10_000,
    maxBufferedBytes: 16_777_216,
  });
});

it('reads its password from a file', async () => {
  await folder.write('password', 's3cret\n');
  const settings = 'servers: ["tls://nats:4222"], username: scaler, passwordFile: password, replicas: 3';
  expect(loaded(await load(settings)).start.eventLog).toMatchObject({ password: 's3cret', replicas: 3 });
});

const plaintext =
  'eventLog: would send its password or token without TLS: set tls or a tls:// address, or security.allowPlaintextSecrets';

it.each([
  ['', ['eventLog.servers: is required']],
  [
    'servers: ["http://nats"]',
    ['eventLog.servers[0]: must be nats://host:port or tls://host:port, without user and password'],
  ],
  ['servers: ["nats://nats:4222"], username: a', ['eventLog.username: needs password or passwordFile']],
  ['servers: ["nats://nats:4222"], token: t0ken', [plaintext]],
  ['servers: ["tls://a:4222", "nats://b:4222"], token: t0ken', [plaintext]],
  [
    'servers: ["nats://a:4222"], stream: a.b',
    ['eventLog.stream: must be letters, digits, "_" and "-", at most 64'],
  ],
  ['servers: ["nats://a:4222"], replicas: 2', ['eventLog.replicas: must be 1, or must be 3, or must be 5']],
  [
    'servers: ["nats://a:4222"], passwordFil: p',
    ['eventLog.passwordFil: unknown key (did you mean "passwordFile"?)'],
  ],
])('is refused: %s', async (settings, faults) => {
  expect(faultsOf(await load(settings))).toEqual(faults);
});

it.each([
  ['servers: ["nats://nats:4222"], token: t0ken', 'security: { allowPlaintextSecrets: true }\n'],
  ['servers: ["tls://nats:4222"], token: t0ken', ''],
  ['servers: ["nats://nats:4222"], token: t0ken, tls: true', ''],
])('may send a secret: %s %s', async (settings, more) => {
  expect(faultsOf(await load(settings, more))).toEqual([]);
});
