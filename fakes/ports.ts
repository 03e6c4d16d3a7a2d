import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Ports on 127.0.0.1 that are ours until `release`: all are held together, so that no two are the same. */
export interface HeldPorts {
  readonly numbers: readonly number[];
  release(): Promise<void>;
}

export async function holdPorts(count: number): Promise<HeldPorts> {
  const servers = await Promise.all(Array.from({ length: count }, hold));
  return {
    numbers: servers.map(portOf),
    release: async () => {
      await Promise.all(servers.map(release));
    },
  };
}

async function hold(): Promise<Server> {
  const server = createServer();
  await listen(server);
  return server;
}

async function release(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** Resolves with the free port of 127.0.0.1 that the server listens on from now. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port');
  return address.port;
}
