import { networkInterfaces } from 'node:os';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { ref, TestClient } from '../support/rpc-client.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all);
const hasIpv6 = addresses.some(({ family }) => family === 'IPv6');

describe('serve without a host in its configuration', () => {
  it.each(hasIpv6 ? ['127.0.0.1', '[::1]'] : ['127.0.0.1'])(
    'answers on %s, on each of its ports',
    async (host) => {
      await folder.write('token', 'open-sesame-open-sesame');
      await folder.write(
        'config.yaml',
        `grpc: { port: 0 }
admin: { port: 0 }
ingest: { port: 0, tokens: [{ name: jobs, tokenFile: token, connections: [orders] }] }
connections: { orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"] } }
`,
      );
      const command = new Command(['serve', '--config', folder.file]);
      onTestFinished(() => command.signal('SIGKILL'));
      expect((await fetch(`http://${host}:${await command.port('admin')}/livez`)).status).toBe(200);
      expect((await fetch(`http://${host}:${await command.port('ingest')}/ingest/hint/orders`)).status).toBe(
        405,
      );
      const client = new TestClient(`${host}:${await command.port('grpc')}`, credentials.createInsecure());
      onTestFinished(() => client.close());
      await expect(client.isActive(ref('worker', { source: 'none' }))).rejects.toThrow('source');
    },
  );
});
