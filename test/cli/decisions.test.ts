import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { ref, TestClient } from '../support/rpc-client.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

it('serve posts its decisions to an https sink with its own certificate, before it ends', async () => {
  const { ca, server } = makeCertificates(folder.path);
  const posted: { token: string | undefined; body: string }[] = [];
  const sink = createServer({ cert: readFileSync(server.cert), key: readFileSync(server.key) });
  sink.on('request', (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      posted.push({ token: request.headers.authorization, body });
      response.writeHead(202).end();
    });
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const address = sink.address();
  const port = typeof address === 'object' ? address?.port : undefined;

  await folder.write('token', 'open-sesame-open-sesame\n');
  await folder.write(
    'config.yaml',
    `grpc: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
limits: { coldReadTimeoutMs: 100 }
decisions: { sink: "https://localhost:${port}/hidden?key=hidden", tokenFile: token, flushMs: 3600000 }
connections: { orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"] } }
`,
  );
  const command = new Command(['serve', '--config', folder.file], { NODE_EXTRA_CA_CERTS: ca });
  const client = new TestClient(`127.0.0.1:${await command.port('grpc')}`, credentials.createInsecure());
  try {
    const metadata = { source: 'kafka', consumerGroup: 'workers', topic: 'orders' };
    await expect(client.isActive(ref('worker', metadata))).rejects.toThrow('worker');
    const line = await command.line(({ msg }) => msg === 'decision');
    expect(line).toMatchObject({ level: 'warn', decision: 'failing', cause: 'start', name: 'worker' });
    expect(posted).toEqual([]);

    command.signal('SIGTERM');
    expect(await command.exited).toBe(0);
    expect(posted).toHaveLength(1);
    expect(posted[0]?.token).toBe('Bearer open-sesame-open-sesame');
    const { time: _, level: __, msg: ___, at, ...data } = line;
    expect(JSON.parse(posted[0]?.body ?? '')).toMatchObject([
      { type: 'dev.backlog-scaler.trigger.failing', subject: 'shop/worker', time: at, data },
    ]);
    expect(command.stdout + command.stderr).not.toMatch(/hidden|open-sesame-open-sesame/);
  } finally {
    command.signal('SIGKILL');
    client.close();
    sink.closeAllConnections();
    sink.close();
  }
});
